//! Calls and their arguments.

use super::super::ast::{Arg, Call, Literal, Logic};
use super::super::cursor::Parsed;
use super::super::error::{LangErrorKind, Span};
use super::super::fields;
use super::super::functions::{self, Function, Kind, Param};
use super::super::types::Type;
use super::Parser;

impl Parser {
    /// After the name; the cursor is at the parenthesis.
    pub(super) fn call(&mut self, forms: &'static [Function], name: Span, depth: usize) -> Parsed<Call> {
        self.cursor.expect("(", "`(`, the start of the arguments")?;
        self.cursor.skip_space();
        let mut args: Vec<(Arg, Span)> = Vec::new();
        while !self.cursor.rest().starts_with(')') {
            if !args.is_empty() {
                self.cursor.expect(",", "`,` or `)`")?;
                self.cursor.skip_space();
            }
            let start = self.cursor.at;
            let arg = self.argument(depth)?;
            let span = Span::new(start, self.cursor.at);
            if arg.is_each() && !args.is_empty() {
                return Err(self.cursor.fail_at(span, LangErrorKind::EachBeyondFirst));
            }
            args.push((arg, span));
            self.cursor.skip_space();
        }
        self.cursor.take(")");
        let span = Span::new(name.start, self.cursor.at);
        let function = self.fitting_form(forms, &args, span)?;
        let first = args.first().map(|(arg, _)| arg.ty());
        let result = function.returns.ty(first.as_ref());
        let each = args.first().is_some_and(|(arg, _)| arg.is_each());
        let ty = if each { result.array() } else { result };
        Ok(Call { function, args: args.into_iter().map(|(arg, _)| arg).collect(), ty, span })
    }

    /// The first form that takes these arguments; where none does, what the first form misses.
    fn fitting_form(&self, forms: &'static [Function], args: &[(Arg, Span)], span: Span) -> Parsed<&'static Function> {
        let mut fault = None;
        for form in forms {
            match self.check_args(form, args, span) {
                Ok(()) => return Ok(form),
                Err(problem) => fault = fault.or(Some(problem)),
            }
        }
        Err(fault.unwrap_or_else(|| self.cursor.fail_at(span, LangErrorKind::Expected("a function"))))
    }

    fn check_args(&self, function: &'static Function, args: &[(Arg, Span)], span: Span) -> Parsed<()> {
        let most = function.params.len();
        if args.len() < function.required || (args.len() > most && function.rest.is_none()) {
            let takes = match (function.required, most, function.rest) {
                (least, _, Some(_)) => format!("at least {least} arguments"),
                (least, most, None) if least == most => format!("{most} argument{}", if most == 1 { "" } else { "s" }),
                (least, most, None) => format!("{least} to {most} arguments"),
            };
            return Err(self.cursor.fail_at(span, LangErrorKind::Arity { name: function.name, takes }));
        }
        let first = args.first().map(|(arg, _)| arg.ty());
        let params = function.params.iter().copied().chain(std::iter::repeat_with(|| function.rest).flatten());
        for (position, ((arg, span), param)) in args.iter().zip(params).enumerate() {
            if let Err(must) = check_arg(arg, param, first.as_ref()) {
                let kind = LangErrorKind::Argument { name: function.name, index: position + 1, must };
                return Err(self.cursor.fail_at(*span, kind));
            }
        }
        Ok(())
    }

    pub(super) fn argument(&mut self, depth: usize) -> Parsed<Arg> {
        if self.cursor.starts_text() {
            return self.cursor.text().map(|text| Arg::Literal(Literal::Bytes(text)));
        }
        let quantifier = {
            let before = self.cursor.at;
            let found = self.take_quantifier().is_some();
            self.cursor.at = before;
            found
        };
        if self.cursor.rest().starts_with('(') || self.at_not() || quantifier {
            return self.logic(depth).map(Arg::Logic);
        }
        if !self.names_something() {
            return self.literal_argument();
        }
        let operand = self.operand(depth)?;
        let before = self.cursor.at;
        self.cursor.skip_space();
        let compared = self.take_comparison().is_some();
        self.cursor.at = before;
        if compared {
            self.comparison(operand, depth).map(|comparison| Arg::Logic(Logic::Compare(comparison)))
        } else {
            Ok(Arg::Operand(operand))
        }
    }

    /// Whether a name stands next: one of ours, or a word that can be no number, address or bytes.
    fn names_something(&self) -> bool {
        let mut ahead = self.cursor.clone();
        match ahead.name() {
            Ok((name, _)) => {
                let plain_word =
                    name.chars().take(3).take_while(|c| c.is_ascii_alphanumeric() || *c == '_').any(|c| !c.is_ascii_hexdigit());
                plain_word || fields::field(&name).is_some() || functions::forms(&name).is_some()
            }
            Err(_) => false,
        }
    }

    /// An address, else an integer, else bytes.
    fn literal_argument(&mut self) -> Parsed<Arg> {
        let start = self.cursor.at;
        for ty in [Type::Ip, Type::Int, Type::Bytes] {
            self.cursor.at = start;
            if let Ok(literal) = self.cursor.literal(&ty) {
                return Ok(Arg::Literal(literal));
            }
        }
        self.cursor.at = start;
        Err(self.cursor.fail(LangErrorKind::Expected("an argument: a field, a call, a string in double quotes, a number or an address")))
    }
}

fn check_arg(arg: &Arg, param: Param, first: Option<&Type>) -> Result<(), String> {
    let is_literal = matches!(arg, Arg::Literal(_));
    match param.kind {
        Kind::Field if is_literal => {
            return Err(format!(
                "a field or a call, of {}",
                param.accepts.describe(first).trim_start_matches("an ").trim_start_matches("a ")
            ));
        }
        Kind::Literal if !is_literal => return Err(format!("a literal, {}", param.accepts.describe(first))),
        _ => {}
    }
    let ty = arg.ty();
    if param.accepts.takes(&ty, first) { Ok(()) } else { Err(format!("{}, not {ty}", param.accepts.describe(first))) }
}
