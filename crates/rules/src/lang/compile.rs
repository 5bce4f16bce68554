//! Typed tree to closures over borrowed facts. Comparisons of plain fields allocate nothing.
//!
//! What is absent (a missing key or index, a function of it) compares false, and unequal to everything: `ne` is true, as
//! in the engine this language comes from. Over `[*]` it is no element at all: `any` is false, `all` true.

use super::ast::{Arg, Base, Call, Comparison, Index, Literal, Logic, LogicOp, Operand, Order, Quantifier, Rhs, Set, Test};
use super::builtins::{self, Body, Input};
use super::error::{LangErrorKind, Span};
use super::facts::{Facts, Many};
use super::fields::{Fact, Source};
use super::types::Value;
use memchr::memmem;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::net::IpAddr;

pub(super) type Evaluate = Box<dyn for<'f, 'a> Fn(&'f Facts<'a>) -> Option<Value<'f>> + Send + Sync>;
pub(super) type Predicate = Box<dyn for<'f, 'a> Fn(&'f Facts<'a>) -> bool + Send + Sync>;
type Predicates = Box<dyn for<'f, 'a> Fn(&'f Facts<'a>) -> Vec<bool> + Send + Sync>;

/// A fault that only building shows, such as a regular expression among a function's arguments.
pub(super) type Built<T> = Result<T, (Span, LangErrorKind)>;

enum Compiled {
    One(Predicate),
    /// One truth for every element of `[*]`.
    Many(Predicates),
}

/// Compiles a checked condition.
pub(super) fn predicate(condition: Logic) -> Built<Predicate> {
    match logic(condition)? {
        Compiled::One(predicate) => Ok(predicate),
        Compiled::Many(_) => Ok(Box::new(|_| false)),
    }
}

fn logic(condition: Logic) -> Built<Compiled> {
    match condition {
        Logic::Compare(Comparison { lhs, test }) => comparison(lhs, test),
        Logic::Not(inner) => Ok(match logic(*inner)? {
            Compiled::One(inner) => Compiled::One(Box::new(move |facts| !inner(facts))),
            Compiled::Many(inner) => Compiled::Many(Box::new(move |facts| inner(facts).into_iter().map(|held| !held).collect())),
        }),
        Logic::Combine { op, items } => combine(op, items),
        Logic::Quantify { quantifier, arg } => quantify(quantifier, *arg).map(Compiled::One),
    }
}

fn combine(op: LogicOp, items: Vec<Logic>) -> Built<Compiled> {
    let (mut ones, mut many): (Vec<Predicate>, Vec<Predicates>) = (Vec::new(), Vec::new());
    for item in items {
        match logic(item)? {
            Compiled::One(item) => ones.push(item),
            Compiled::Many(item) => many.push(item),
        }
    }
    if many.is_empty() { Ok(Compiled::One(combine_one(op, ones))) } else { Ok(Compiled::Many(combine_many(op, many))) }
}

fn combine_one(op: LogicOp, mut items: Vec<Predicate>) -> Predicate {
    if items.len() == 2
        && let (Some(second), Some(first)) = (items.pop(), items.pop())
    {
        return match op {
            LogicOp::And => Box::new(move |facts| first(facts) && second(facts)),
            LogicOp::Or => Box::new(move |facts| first(facts) || second(facts)),
            LogicOp::Xor => Box::new(move |facts| first(facts) ^ second(facts)),
        };
    }
    match op {
        LogicOp::And => Box::new(move |facts| items.iter().all(|item| item(facts))),
        LogicOp::Or => Box::new(move |facts| items.iter().any(|item| item(facts))),
        LogicOp::Xor => Box::new(move |facts| items.iter().fold(false, |held, item| held ^ item(facts))),
    }
}

/// Element by element, as far as the shortest goes.
fn combine_many(op: LogicOp, items: Vec<Predicates>) -> Predicates {
    let join = move |left: bool, right: bool| match op {
        LogicOp::And => left && right,
        LogicOp::Or => left || right,
        LogicOp::Xor => left ^ right,
    };
    Box::new(move |facts| {
        let all = items.iter().map(|item| item(facts));
        all.reduce(|left, right| left.into_iter().zip(right).map(|(left, right)| join(left, right)).collect()).unwrap_or_default()
    })
}

fn quantify(quantifier: Quantifier, arg: Arg) -> Built<Predicate> {
    match arg {
        Arg::Logic(condition) => Ok(match logic(condition)? {
            Compiled::One(one) => one,
            Compiled::Many(many) => Box::new(move |facts| quantifier.holds(many(facts).into_iter())),
        }),
        Arg::Operand(operand) => {
            let value = evaluate(operand)?;
            Ok(Box::new(move |facts| value(facts).is_some_and(|array| quantifier.holds(array.into_elements().iter().map(is_true)))))
        }
        Arg::Literal(_) => Ok(Box::new(|_| false)),
    }
}

fn is_true(value: &Value<'_>) -> bool {
    matches!(value, Value::Bool(true))
}

fn comparison(lhs: Operand, test: Test) -> Built<Compiled> {
    match test {
        Test::IsTrue => truth(lhs),
        Test::Order(order, Rhs::Literal(literal)) => order_literal(lhs, order, literal),
        Test::Order(order, Rhs::Operand(rhs)) => against(lhs, rhs, order == Order::Ne, move |left, right| compare(order, left, right)),
        Test::BitAnd(Rhs::Literal(Literal::Int(mask))) => {
            attach(lhs, false, move |value| matches!(value, Value::Int(bits) if bits & mask != 0))
        }
        Test::BitAnd(Rhs::Literal(_)) => attach(lhs, false, |_| false),
        Test::BitAnd(Rhs::Operand(rhs)) => {
            against(lhs, rhs, false, |left, right| matches!((left, right), (Value::Int(left), Value::Int(right)) if left & right != 0))
        }
        Test::Contains(part) => {
            let finder = memmem::Finder::new(&part).into_owned();
            attach_bytes(lhs, false, move |value| finder.find(value).is_some())
        }
        Test::Matches(regex) => attach_bytes(lhs, false, move |value| regex.is_match(value)),
        Test::Wildcard(wildcard) => attach_bytes(lhs, false, move |value| wildcard.is_match(value)),
        Test::OneOf(set) => one_of(lhs, set),
    }
}

fn order_literal(lhs: Operand, order: Order, literal: Literal) -> Built<Compiled> {
    let absent = order == Order::Ne;
    match (literal, order) {
        (Literal::Bytes(wanted), Order::Eq) => attach_bytes(lhs, absent, move |value| value == wanted),
        (Literal::Bytes(wanted), Order::Ne) => attach_bytes(lhs, absent, move |value| value != wanted),
        (Literal::Bytes(wanted), _) => attach_bytes(lhs, absent, move |value| order.holds(value.cmp(&wanted))),
        (Literal::Int(wanted), _) => attach(lhs, absent, move |value| compare(order, value, &Value::Int(wanted))),
        (Literal::Ip(wanted), _) => attach(lhs, absent, move |value| compare(order, value, &Value::Ip(wanted))),
    }
}

/// Addresses of different families are unequal, and neither is the greater.
fn compare(order: Order, left: &Value<'_>, right: &Value<'_>) -> bool {
    let ordering: Option<Ordering> = match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Bytes(left), Value::Bytes(right)) => Some(left.cmp(right)),
        (Value::Ip(IpAddr::V4(left)), Value::Ip(IpAddr::V4(right))) => Some(left.cmp(right)),
        (Value::Ip(IpAddr::V6(left)), Value::Ip(IpAddr::V6(right))) => Some(left.cmp(right)),
        _ => None,
    };
    ordering.map_or(order == Order::Ne, |ordering| order.holds(ordering))
}

/// Sets up to this size are searched one by one: faster than hashing.
const SMALL_SET: usize = 8;

fn one_of(lhs: Operand, set: Set) -> Built<Compiled> {
    match set {
        Set::Bytes(values) if values.len() <= SMALL_SET => attach_bytes(lhs, false, move |value| values.iter().any(|one| one == value)),
        Set::Bytes(values) => {
            let values: HashSet<Vec<u8>> = values.into_iter().collect();
            attach_bytes(lhs, false, move |value| values.contains(value))
        }
        Set::Ints(ranges) => {
            let ranges = merged(ranges);
            attach(lhs, false, move |value| matches!(value, Value::Int(int) if within(&ranges, int)))
        }
        Set::Ips(ranges) => {
            // Ordering of addresses puts every IPv4 address before every IPv6 one, so one list serves both.
            let ranges = merged(ranges);
            attach(lhs, false, move |value| matches!(value, Value::Ip(ip) if within(&ranges, ip)))
        }
    }
}

/// Sorted, overlapping ranges made one.
fn merged<T: Ord + Copy>(mut ranges: Vec<(T, T)>) -> Vec<(T, T)> {
    ranges.sort_unstable();
    let mut merged: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some((_, end)) if first <= *end => *end = last.max(*end),
            _ => merged.push((first, last)),
        }
    }
    merged
}

fn within<T: Ord>(ranges: &[(T, T)], value: &T) -> bool {
    let after = ranges.partition_point(|(first, _)| first <= value);
    after.checked_sub(1).and_then(|at| ranges.get(at)).is_some_and(|(_, last)| value <= last)
}

/// A boolean operand as a condition; `starts_with(field, "…")` and its kin without a detour over values.
fn truth(lhs: Operand) -> Built<Compiled> {
    let is_array = lhs.ty.is_bool_array();
    let lhs = match bytes_test(lhs) {
        Ok((operand, test)) => return attach_bytes(operand, false, test),
        Err(lhs) => lhs,
    };
    if is_array {
        let value = evaluate(lhs)?;
        return Ok(Compiled::Many(Box::new(move |facts| {
            value(facts).map_or_else(Vec::new, |array| array.into_elements().iter().map(is_true).collect())
        })));
    }
    attach(lhs, false, is_true)
}

type BytesTest = Box<dyn Fn(&[u8]) -> bool + Send + Sync>;

fn bytes_test(lhs: Operand) -> Result<(Operand, BytesTest), Operand> {
    let Operand { base: Base::Call(call), indexes, ty, span } = lhs else { return Err(lhs) };
    let whole = |call| Operand { base: Base::Call(call), indexes, ty, span };
    let named = matches!(call.function.name, "starts_with" | "ends_with" | "contains");
    if !named || !matches!(call.args.as_slice(), [Arg::Operand(_), Arg::Literal(Literal::Bytes(_))]) {
        return Err(whole(call));
    }
    let Call { function, args, .. } = *call;
    let mut args = args.into_iter();
    match (args.next(), args.next()) {
        (Some(Arg::Operand(operand)), Some(Arg::Literal(Literal::Bytes(part)))) => {
            let test: BytesTest = match function.name {
                "starts_with" => Box::new(move |value| value.starts_with(&part)),
                "ends_with" => Box::new(move |value| value.ends_with(&part)),
                _ => Box::new(move |value| memmem::find(value, &part).is_some()),
            };
            Ok((operand, test))
        }
        (first, second) => {
            let args = first.into_iter().chain(second).collect();
            Err(whole(Box::new(Call { function, args, ty: super::types::Type::Bool, span })))
        }
    }
}

/// A test of strings, with the shortest way to the plain ones.
fn attach_bytes<T: Fn(&[u8]) -> bool + Send + Sync + 'static>(lhs: Operand, absent: bool, test: T) -> Built<Compiled> {
    if let Base::Field(field) = lhs.base
        && let Source::Fact(fact) = field.source
    {
        match (fact, lhs.indexes.as_slice()) {
            (Fact::Bytes(get), []) => return Ok(Compiled::One(Box::new(move |facts| test(get(facts))))),
            (Fact::Map(many), [Index::Key(key), Index::At(at)]) => {
                let (key, at) = (key_of(many, key), *at);
                return Ok(Compiled::One(Box::new(move |facts| facts.element(many, &key, at).map_or(absent, &test))));
            }
            _ => {}
        }
    }
    attach(lhs, absent, move |value| matches!(value, Value::Bytes(bytes) if test(bytes)))
}

fn attach<T: Fn(&Value<'_>) -> bool + Send + Sync + 'static>(lhs: Operand, absent: bool, test: T) -> Built<Compiled> {
    let each = lhs.is_each();
    let value = evaluate(lhs)?;
    Ok(if each {
        Compiled::Many(Box::new(move |facts| value(facts).map_or_else(Vec::new, |array| array.into_elements().iter().map(&test).collect())))
    } else {
        Compiled::One(Box::new(move |facts| value(facts).map_or(absent, |value| test(&value))))
    })
}

/// A test of two operands.
fn against<T>(lhs: Operand, rhs: Operand, absent: bool, test: T) -> Built<Compiled>
where
    T: Fn(&Value<'_>, &Value<'_>) -> bool + Send + Sync + 'static,
{
    let each = lhs.is_each();
    let (left, right) = (evaluate(lhs)?, evaluate(rhs)?);
    Ok(if each {
        Compiled::Many(Box::new(move |facts| {
            let right = right(facts);
            let held = |left: &Value<'_>| right.as_ref().map_or(absent, |right| test(left, right));
            left(facts).map_or_else(Vec::new, |array| array.into_elements().iter().map(held).collect())
        }))
    } else {
        Compiled::One(Box::new(move |facts| match (left(facts), right(facts)) {
            (Some(left), Some(right)) => test(&left, &right),
            _ => absent,
        }))
    })
}

/// Header names are lower case in facts, so they are in keys.
fn key_of(many: Many, key: &str) -> String {
    if many == Many::Headers { key.to_ascii_lowercase() } else { key.to_owned() }
}

/// An operand's value: with `[*]`, the array of all its elements.
pub(super) fn evaluate(operand: Operand) -> Built<Evaluate> {
    let Operand { base, indexes, span, .. } = operand;
    let (base, indexes): (Evaluate, Vec<Index>) = match base {
        Base::Call(inner) => (call(*inner)?, indexes),
        Base::Field(field) => match field.source {
            Source::Missing(missing) => return Err((span, LangErrorKind::Missing { name: field.name.to_owned(), missing })),
            Source::Fact(Fact::Map(many)) if matches!(indexes.first(), Some(Index::Key(_))) => {
                let mut rest = indexes.into_iter();
                let Some(Index::Key(key)) = rest.next() else { return Err((span, LangErrorKind::Expected("a key"))) };
                let key = key_of(many, &key);
                (Box::new(move |facts| facts.entry(many, &key)), rest.collect())
            }
            Source::Fact(fact) => (Box::new(move |facts| Some(fact.value(facts))), indexes),
        },
    };
    if indexes.is_empty() {
        return Ok(base);
    }
    if !indexes.contains(&Index::Each) {
        return Ok(Box::new(move |facts| pick(base(facts)?, &indexes)));
    }
    Ok(Box::new(move |facts| {
        let mut elements = Vec::new();
        spread(base(facts)?, &indexes, &mut elements);
        Some(Value::Array(elements))
    }))
}

fn pick<'f>(value: Value<'f>, indexes: &[Index]) -> Option<Value<'f>> {
    let Some((index, rest)) = indexes.split_first() else { return Some(value) };
    let inner = match (value, index) {
        (Value::Array(elements), Index::At(at)) => elements.into_iter().nth(*at)?,
        (Value::Map(entries), Index::Key(key)) => entries.into_iter().find(|(name, _)| name.as_ref() == key.as_bytes())?.1,
        _ => return None,
    };
    pick(inner, rest)
}

/// Everything the indexes lead to; what is missing on the way is left out.
fn spread<'f>(value: Value<'f>, indexes: &[Index], elements: &mut Vec<Value<'f>>) {
    match indexes.split_first() {
        None => elements.push(value),
        Some((Index::Each, rest)) => value.into_elements().into_iter().for_each(|element| spread(element, rest, elements)),
        Some((index, rest)) => {
            if let Some(inner) = pick(value, std::slice::from_ref(index)) {
                spread(inner, rest, elements);
            }
        }
    }
}

fn call(call: Call) -> Built<Evaluate> {
    let each = call.args.first().is_some_and(Arg::is_each);
    let over_headers = matches!(
        call.args.first(),
        Some(Arg::Operand(Operand { base: Base::Field(field), indexes, .. }))
            if indexes.is_empty() && matches!(field.source, Source::Fact(Fact::Map(Many::Headers)))
    );
    let mut inputs = call.args.into_iter().map(input).collect::<Built<Vec<Input>>>()?;
    if over_headers && call.function.name == "has_key" {
        inputs.iter_mut().for_each(Input::make_lower);
    }
    let rest = inputs.split_off(inputs.len().min(1));
    let first = inputs.pop();
    let literal = first.as_ref().and_then(Input::literal).cloned();
    let body: Body = builtins::body(call.function, literal, rest).map_err(|kind| (call.span, kind))?;
    let first: Evaluate = match first {
        Some(Input::Value(value)) => value,
        Some(Input::Literal(literal)) => Box::new(move |_| Some(owned(&literal))),
        None => Box::new(|_| None),
    };
    if !each {
        return Ok(Box::new(move |facts| body(first(facts), facts)));
    }
    Ok(Box::new(move |facts| {
        let elements = first(facts)?.into_elements();
        Some(Value::Array(elements.into_iter().filter_map(|element| body(Some(element), facts)).collect()))
    }))
}

/// A literal as a value of its own.
pub(super) fn owned<'f>(literal: &Literal) -> Value<'f> {
    match literal {
        Literal::Bytes(bytes) => Value::owned(bytes.clone()),
        Literal::Int(int) => Value::Int(*int),
        Literal::Ip(ip) => Value::Ip(*ip),
    }
}

fn input(arg: Arg) -> Built<Input> {
    Ok(match arg {
        Arg::Literal(literal) => Input::Literal(literal),
        Arg::Operand(operand) => Input::Value(evaluate(operand)?),
        Arg::Logic(condition) => Input::Value(match logic(condition)? {
            Compiled::One(one) => Box::new(move |facts| Some(Value::Bool(one(facts)))),
            Compiled::Many(many) => Box::new(move |facts| Some(Value::Array(many(facts).into_iter().map(Value::Bool).collect()))),
        }),
    })
}
