//! Random sequences of operations, against a model that knows the design and nothing of SQL.

use std::collections::BTreeMap;

use ledger::{Advance, LaneLease, NewRecord, RedeliveryGrant, State, Store, StoreError, Transition};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use x402::{B256, PaymentId, U256};

use super::{Place, rows::*};

#[derive(Clone, Copy, Debug)]
enum Step {
    Release,
    Submit,
    Resubmit,
    Unknown,
    Settle,
    Fail,
    Revert,
    Lose,
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Claim { request: u64 },
    Advance { step: Step, late: bool, log: u64 },
    Deliver,
    BeginRedelivery,
    EndRedelivery { charged: bool },
    SweepOrphans,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Done,
    Refused,
    Conflict,
}

/// One payment, as the design has it.
#[derive(Debug)]
struct Row {
    state: State,
    generation: u64,
    request: u64,
    log: Option<u64>,
    was_settled: bool,
    delivering: bool,
    delivered: bool,
    redeliveries: u32,
}

#[derive(Default)]
struct Model(BTreeMap<u64, Row>);

const LIMIT: u32 = 2;

impl Model {
    fn answer(&mut self, payment: u64, operation: Operation) -> Answer {
        if let Operation::Claim { request } = operation {
            return self.claim(payment, request);
        }
        let evidence: Vec<u64> = self.0.values().filter_map(|row| row.log).collect();
        let Some(row) = self.0.get_mut(&payment) else { return Answer::Conflict };
        match operation {
            Operation::Advance { late: true, .. } => return Answer::Refused,
            Operation::Advance { step, log, .. } => return row.advance(step, log, &evidence),
            Operation::Deliver if row.was_settled => (row.delivered, row.delivering) = (true, false),
            Operation::EndRedelivery { charged } if row.delivering => {
                (row.delivering, row.redeliveries) = (false, row.redeliveries + u32::from(charged));
            }
            Operation::BeginRedelivery => {
                if row.state != State::Settled || row.delivered || row.delivering || row.redeliveries >= LIMIT {
                    return Answer::Refused;
                }
                row.delivering = true;
            }
            Operation::SweepOrphans => {
                row.delivering = false;
                row.state = if row.state == State::Claimed { State::Released } else { row.state };
            }
            _ => {}
        }
        Answer::Done
    }

    fn claim(&mut self, payment: u64, request: u64) -> Answer {
        let free = |row: &Row| matches!(row.state, State::Released | State::Failed) && row.request == request;
        let generation = match self.0.get(&payment) {
            Some(row) if !free(row) => return Answer::Refused,
            Some(row) => row.generation + 1,
            None => 1,
        };
        let (state, delivering) = (State::Claimed, true);
        let row = Row { state, generation, request, log: None, was_settled: false, delivering, delivered: false, redeliveries: 0 };
        self.0.insert(payment, row);
        Answer::Done
    }
}

impl Row {
    fn advance(&mut self, step: Step, log: u64, evidence: &[u64]) -> Answer {
        use State::{Claimed, Failed, Lost, Released, Reverted, Settled, Submitted, Unknown};
        let next = match (step, self.state) {
            (Step::Release, Claimed) => Released,
            (Step::Submit, Claimed) | (Step::Resubmit, Submitted | Unknown | Reverted) => Submitted,
            (Step::Unknown, Submitted) => Unknown,
            (Step::Settle, Submitted | Unknown) if evidence.contains(&log) => return Answer::Conflict,
            (Step::Settle, Submitted | Unknown) => Settled,
            (Step::Fail, Claimed | Submitted | Unknown) => Failed,
            (Step::Revert, Settled) => Reverted,
            (Step::Lose, Reverted) => Lost,
            _ => return Answer::Refused,
        };
        self.log = (next == Settled).then_some(log);
        self.was_settled |= next == Settled;
        self.delivering &= !matches!(next, Released | Failed | Lost);
        self.state = next;
        Answer::Done
    }
}

fn operations() -> impl Strategy<Value = Vec<(u64, Operation)>> {
    use Step::{Fail, Lose, Release, Resubmit, Revert, Settle, Submit, Unknown};
    let step = prop::sample::select(vec![Release, Submit, Submit, Submit, Resubmit, Unknown, Settle, Settle, Settle, Fail, Revert, Lose]);
    let advance = (step, prop::bool::weighted(0.1), 0..4_u64).prop_map(|(step, late, log)| Operation::Advance { step, late, log });
    let operation = prop_oneof![
        4 => (0..2_u64).prop_map(|request| Operation::Claim { request }),
        8 => advance,
        1 => Just(Operation::Deliver),
        2 => Just(Operation::BeginRedelivery),
        2 => any::<bool>().prop_map(|charged| Operation::EndRedelivery { charged }),
    ];
    let operation = (0..3_u64, operation);
    let sweep = (0..3_u64, Just(Operation::SweepOrphans));
    vec(prop_oneof![20 => operation, 1 => sweep], 1..60)
}

/// A case's own payments and logs: cases share a store.
struct Case<'s> {
    store: &'s dyn Store,
    lane: LaneLease,
    base: u64,
}

impl Case<'_> {
    fn id(&self, payment: u64) -> PaymentId {
        super::rows::payment(self.base + payment).key.id()
    }

    fn transition(&self, payment: u64, step: Step, log: u64) -> Transition {
        let (attempt, lane, reason) = (own(self.base + payment), Some(self.lane.clone()), "r".to_owned());
        match step {
            Step::Release => Transition::Release { reason },
            Step::Submit => Transition::Submit { attempt, lane },
            Step::Resubmit => Transition::Resubmit { attempt, lane },
            Step::Unknown => Transition::Unknown,
            Step::Settle => Transition::Settle { settlement: evidence(self.base + log) },
            Step::Fail => Transition::Fail { reason, transaction: None },
            Step::Revert => Transition::Revert,
            Step::Lose => Transition::Lose { reason },
        }
    }

    async fn run(&self, payment: u64, operation: Operation, generation: u64) -> Result<Answer, StoreError> {
        let id = self.id(payment);
        let done = |advance: Advance| if matches!(advance, Advance::Done(_)) { Answer::Done } else { Answer::Refused };
        match operation {
            Operation::Claim { request } => {
                let mut binding = binding(payment);
                binding.request = B256::from(U256::from(request));
                let new = NewRecord { binding: Some(binding), ..super::rows::payment(self.base + payment) };
                return self.store.claim(new).await.map(done);
            }
            Operation::Advance { step, late, log } => {
                let transition = self.transition(payment, step, log);
                return self.store.advance(id, if late { generation + 1 } else { generation }, transition, NOW).await.map(done);
            }
            Operation::BeginRedelivery => {
                let grant = self.store.begin_redelivery(id, &worker(), LIMIT, NOW).await?;
                return Ok(if matches!(grant, RedeliveryGrant::Granted(_)) { Answer::Done } else { Answer::Refused });
            }
            Operation::Deliver => self.store.note_delivered(id, generation, NOW).await?,
            Operation::EndRedelivery { charged } => self.store.end_redelivery(id, &worker(), charged, NOW).await?,
            Operation::SweepOrphans => drop(self.store.release_orphans(NOW).await?), // the suite's worker has never entered
        }
        Ok(Answer::Done)
    }

    async fn agrees(&self, model: &Model) {
        for (payment, row) in &model.0 {
            let record = self.store.find(self.id(*payment)).await.unwrap().unwrap();
            assert_eq!((record.state, record.generation), (row.state, row.generation));
            assert_eq!((record.delivered, record.redeliveries), (row.delivered, row.redeliveries));
            assert_eq!((record.redelivering.is_some(), record.settlement.is_some()), (row.delivering, row.log.is_some()));
            let entries = self.store.entries(record.id).await.unwrap();
            let paid = entries.iter().filter(|entry| entry.debit.to_string().starts_with("payer")).count();
            assert_eq!(paid * 2 - entries.len(), usize::from(row.state == State::Settled), "the books hold it once where it is settled");
        }
        let balances = self.store.balances().await.unwrap();
        let sum = |side: fn(&ledger::Balance) -> U256| balances.iter().map(side).sum::<U256>();
        assert_eq!(sum(|balance| balance.debit), sum(|balance| balance.credit));
    }
}

async fn play(place: &Place, case: u64, operations: Vec<(u64, Operation)>) {
    let store = &*place.first;
    let case = Case { store, lane: lane(store).await, base: case * 10 };
    let mut model = Model::default();
    for (payment, operation) in operations {
        let before = model.0.get(&payment).map_or(1, |row| row.generation);
        // A sweep takes all payments, the others one.
        let swept = if matches!(operation, Operation::SweepOrphans) { 0..3 } else { payment..payment + 1 };
        let expected = swept.map(|payment| model.answer(payment, operation)).last().unwrap();
        let answer = case.run(payment, operation, before).await;
        match (operation, answer) {
            (Operation::SweepOrphans | Operation::Deliver | Operation::EndRedelivery { .. }, answer) => drop(answer.unwrap()),
            (_, Ok(answer)) => assert_eq!(answer, expected, "{payment}: {operation:?}"),
            (_, Err(error)) => assert_eq!(expected, Answer::Conflict, "{payment}: {operation:?}: {error}"),
        }
    }
    case.agrees(&model).await;
}

pub async fn no_sequence_of_operations_breaks_the_books(place: &Place) {
    let mut runner = TestRunner::new(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() });
    let case = std::cell::Cell::new(0);
    let outcome = tokio::task::block_in_place(|| {
        runner.run(&operations(), |operations| {
            case.set(case.get() + 1);
            tokio::runtime::Handle::current().block_on(play(place, case.get(), operations));
            Ok(())
        })
    });
    outcome.unwrap();
}
