//! Many questions of many tasks, few calls: what is asked while a call is under way goes into the next one.

use std::{future::Future, sync::Arc};

use tokio::{
    runtime::Handle,
    sync::{Semaphore, mpsc, oneshot},
};

use crate::chain::ChainError;

/// Questions that wait; more are turned away.
const QUEUE: usize = 8_192;
/// Calls under way at once.
const AT_ONCE: usize = 2;

type Reply<A> = oneshot::Sender<Result<A, ChainError>>;

/// Collects questions, of any runtime, without a timer: the first goes out at once, and those that come meanwhile share the next call.
pub struct Batcher<Q, A> {
    questions: mpsc::Sender<(Q, Reply<A>)>,
}

impl<Q: Send + 'static, A: Send + 'static> Batcher<Q, A> {
    /// `ask` answers up to `most` questions, in order.
    pub fn start<F, Fut>(runtime: &Handle, most: usize, ask: F) -> Self
    where
        F: Fn(Vec<Q>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Vec<A>, ChainError>> + Send + 'static,
    {
        let (questions, inbox) = mpsc::channel(QUEUE);
        runtime.spawn(run(inbox, most, Arc::new(ask)));
        Self { questions }
    }

    pub async fn ask(&self, question: Q) -> Result<A, ChainError> {
        let (reply, answer) = oneshot::channel();
        self.questions.try_send((question, reply)).map_err(|_| ChainError("too many questions are waiting for the chain".into()))?;
        answer.await.map_err(|_| ChainError("the question was dropped".into()))?
    }
}

async fn run<Q, A, F, Fut>(mut inbox: mpsc::Receiver<(Q, Reply<A>)>, most: usize, ask: Arc<F>)
where
    Q: Send + 'static,
    A: Send + 'static,
    F: Fn(Vec<Q>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Vec<A>, ChainError>> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut waiting = Vec::new();
    while inbox.recv_many(&mut waiting, 1).await > 0 {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        while waiting.len() < most {
            match inbox.try_recv() {
                Ok(one) => waiting.push(one),
                Err(_) => break,
            }
        }
        let (questions, replies): (Vec<Q>, Vec<Reply<A>>) = waiting.drain(..).unzip();
        let ask = Arc::clone(&ask);
        tokio::spawn(async move {
            let answers = ask(questions).await;
            drop(permit);
            hand_out(answers, replies);
        });
    }
}

fn hand_out<A>(answers: Result<Vec<A>, ChainError>, replies: Vec<Reply<A>>) {
    match answers {
        // Who asked may be gone by now; the answer is then nobody's.
        Ok(answers) => replies.into_iter().zip(answers).for_each(|(reply, answer)| drop(reply.send(Ok(answer)))),
        Err(error) => replies.into_iter().for_each(|reply| drop(reply.send(Err(error.clone())))),
    }
}
