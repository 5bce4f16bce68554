//! Expressions out of a grammar, some right, some spoiled, always the same ones.

use rules::lang::{self, Type};

/// A small generator of numbers (xorshift64*), so that the corpus depends on nothing else.
pub struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % sides
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.roll(chances) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
}

const STRINGS: &[&str] = &[
    r#""a""#,
    r#""""#,
    r#"r"a\b""#,
    r##"r#"a"b"#"##,
    r#""\x41\101""#,
    r#""\"""#,
    r#""\\""#,
    r#""/x/*""#,
    r#""é""#,
    "01:02:ff",
    "ab:cd",
    r#""a*b""#,
    r#""example.com""#,
];
const BAD_STRINGS: &[&str] = &[r#""\n""#, r#""a"#, "r\"a", "'a'", r#""\400""#, r#""\xg0""#, "01", "01:", "0a-0b", r#""\1""#, "a", "r#x"];
const INTS: &[&str] = &["0", "1", "-5", "0x1f", "017", "9223372036854775807", "-9223372036854775808", "42"];
const BAD_INTS: &[&str] = &["09", "9223372036854775808", "1.5", "+1", "--1", "0x", "-0x1", "\"1\"", "1_0"];
const IPS: &[&str] = &["1.2.3.4", "::1", "2001:db8::1", "::ffff:1.2.3.4", "0.0.0.0"];
const BAD_IPS: &[&str] = &["1.2.3", "256.1.1.1", "\"1.2.3.4\"", "1.2.3.0/24", "01.2.3.4", "::g", "10"];
const NETWORKS: &[&str] = &["10.0.0.0/8", "2001:db8::/32", "1.2.3.4", "1.1.1.1..1.1.1.9", "::1..::9", "10/8", "10.1/16", "0.0.0.0/0"];
const BAD_NETWORKS: &[&str] =
    &["1.2.3.4/24", "10.0.0.0/33", "::/129", "1.1.1.9..1.1.1.1", "1.1.1.1..::1", "10./8", "1.2.3.4/", "010.0.0.0/8", "10", "$x"];
const PATTERNS: &[&str] =
    &[r#""^/a[0-9]+$""#, r#"r"\.html$""#, r#""a|b""#, r#""[^\"]""#, r#""[^"]*""#, r#""(?i)x""#, r#""\d+""#, r#""(?u)\p{L}""#, r#""""#];
const BAD_PATTERNS: &[&str] = &[r#""(""#, r#""(?=a)""#, r#""\1""#, r#""[a""#, r#""\p{L}""#, r#""*""#, "01:02", "a", r#""a{9999}{9999}""#];
const WILDCARDS: &[&str] = &[r#""*""#, r#""/a/*/b*""#, r#"r"a\*b""#, r#""a\\*""#, r#""""#, r#""?""#, r#"r"a\\b""#];
const BAD_WILDCARDS: &[&str] = &[r#""**""#, r#"r"\a""#, r#""*a*a*a*a*a*a*a*a*a*a*""#, "01:02", r#""\*""#, r#"r"a\""#];
const SPACES: &[&str] = &[" ", " ", " ", " ", "  ", "\n", "\r\n "];

/// That many expressions.
pub fn corpus(size: usize) -> Vec<String> {
    let mut maker = Maker { dice: Dice(0x746f_6c6c_7761_7921), fields: declared() };
    (0..size).map(|_| maker.expression()).collect()
}

/// Cloudflare's fields, by type, in one order.
fn declared() -> Vec<(&'static str, Type)> {
    let ours = |name: &str| name.starts_with("mcp.") || name.starts_with("caller.");
    let mut fields: Vec<_> = lang::fields().filter(|field| !ours(field.name)).map(|field| (field.name, field.ty.clone())).collect();
    fields.sort_by_key(|(name, _)| *name);
    fields
}

struct Maker {
    dice: Dice,
    fields: Vec<(&'static str, Type)>,
}

impl Maker {
    fn expression(&mut self) -> String {
        let whole = self.logic(3);
        match self.dice.roll(8) {
            0 => self.spoil(&whole),
            1 => format!(" {whole}\n"),
            _ => whole,
        }
    }

    fn space(&mut self) -> &'static str {
        self.dice.pick(SPACES)
    }

    /// Drops, doubles or changes one character.
    fn spoil(&mut self, whole: &str) -> String {
        let mut chars: Vec<char> = whole.chars().collect();
        let at = self.dice.roll(chars.len().max(1));
        match self.dice.roll(4) {
            0 => drop(chars.remove(at)),
            1 => chars.insert(at, chars[at]),
            2 => chars[at] = *[' ', '"', '(', ')', '.', '[', '0', 'x', '&', ',', '*', '!'].get(self.dice.roll(12)).unwrap(),
            _ => chars.truncate(at),
        }
        chars.into_iter().collect()
    }

    fn logic(&mut self, depth: usize) -> String {
        if depth == 0 || self.dice.one_in(2) {
            return self.comparison(depth);
        }
        match self.dice.roll(6) {
            0 => format!("({})", self.logic(depth - 1)),
            1 => format!("{}{}", self.dice.pick(&["not ", "!", "! ", "not"]), self.logic(depth - 1)),
            2 => self.quantified(depth - 1),
            _ => {
                let (left, right) = (self.logic(depth - 1), self.logic(depth - 1));
                let op = self.dice.pick(&["and", "&&", "or", "||", "xor", "^^"]);
                let (before, after) = (self.space(), self.space());
                format!("{left}{before}{op}{after}{right}")
            }
        }
    }

    fn quantified(&mut self, depth: usize) -> String {
        let quantifier = self.dice.pick(&["any", "all", "any "]);
        let (operand, ty) = self.each();
        let inner = match self.dice.roll(6) {
            0 => self.comparison(depth),
            1 => format!("not {}", self.test(&operand, &ty, depth)),
            2 => format!("({} or {})", self.test(&operand, &ty, depth), self.test(&operand, &ty, depth)),
            3 => self.call(&operand, depth).0,
            _ => self.test(&operand, &ty, depth),
        };
        format!("{quantifier}({inner})")
    }

    /// An operand over `[*]`, and the type of an element.
    fn each(&mut self) -> (String, Type) {
        loop {
            let (name, ty) = self.fields[self.dice.roll(self.fields.len())].clone();
            let (mut operand, mut ty) = (name.to_owned(), ty);
            let mut each = false;
            loop {
                match ty {
                    Type::Array(element) => {
                        let index = self.dice.pick(&["[*]", "[*]", "[0]", "[ * ]"]);
                        each |= index.contains('*');
                        operand.push_str(index);
                        ty = *element;
                    }
                    Type::Map(value) => {
                        let index = self.dice.pick(&["[*]", "[\"x\"]", "[\"a b\"]"]);
                        each |= index.contains('*');
                        operand.push_str(index);
                        ty = *value;
                    }
                    scalar => {
                        ty = scalar;
                        break;
                    }
                }
            }
            if each {
                return (operand, ty);
            }
        }
    }

    /// A field with indexes that fit, mostly.
    fn operand(&mut self, depth: usize) -> (String, Type) {
        if depth > 0 && self.dice.one_in(4) {
            let (argument, _) = self.operand(depth - 1);
            return self.call(&argument, depth - 1);
        }
        let (name, mut ty) = self.field();
        let mut operand = name.to_owned();
        while !self.dice.one_in(12) {
            let (index, inner) = match &ty {
                Type::Array(element) => (self.dice.pick(&["[0]", "[17]", "[0x1]", "[ 3 ]"]), element),
                Type::Map(value) => (self.dice.pick(&["[\"x\"]", "[\"\"]", "[ \"é\" ]"]), value),
                _ => break,
            };
            operand.push_str(index);
            ty = (**inner).clone();
        }
        if self.dice.one_in(30) {
            operand.push_str(self.dice.pick(&["[0]", "[\"a\"]", "[*]", "[-1]", "[]", " [0]"]));
        }
        (operand, ty)
    }

    /// Any field, the rare types as often as the common ones.
    fn field(&mut self) -> (&'static str, Type) {
        let (name, ty) = self.fields[self.dice.roll(self.fields.len())].clone();
        match self.dice.roll(6) {
            0 => ("ip.src", Type::Ip),
            1 => ("http.request.uri.path", Type::Bytes),
            2 => ("cf.threat_score", Type::Int),
            _ => (name, ty),
        }
    }

    fn comparison(&mut self, depth: usize) -> String {
        let (operand, ty) = self.operand(depth);
        self.test(&operand, &ty, depth)
    }

    fn test(&mut self, operand: &str, ty: &Type, depth: usize) -> String {
        let ty = if self.dice.one_in(25) { &Type::Int } else { ty };
        if *ty == Type::Bool && !self.dice.one_in(20) {
            return operand.to_owned();
        }
        let op = match ty {
            Type::Bytes => self.dice.pick(&[
                "eq",
                "==",
                "ne",
                "!=",
                "lt",
                "<",
                "ge",
                "contains",
                "matches",
                "~",
                "wildcard",
                "strict wildcard",
                "in",
                "in $",
                "&",
            ]),
            Type::Int => self.dice.pick(&["eq", "==", "ne", "lt", "le", "<=", "gt", ">", ">=", "in", "&", "bitwise_and", "in $", "~"]),
            _ => self.dice.pick(&["eq", "==", "ne", "in", "in", "in $", "lt", "contains"]),
        };
        let right = self.right(op, ty, depth);
        let (before, after) = (self.space(), if op == "in $" { "" } else { self.space() });
        format!("{operand}{before}{op}{after}{right}")
    }

    fn right(&mut self, op: &str, ty: &Type, depth: usize) -> String {
        let bad = self.dice.one_in(15);
        match op {
            "in $" => return self.dice.pick(if bad { &["", ".a", "A", "a.", "-"] } else { &["list", "my.list", "a_1", "1"] }).to_owned(),
            "in" => return self.set(ty, bad),
            "matches" | "~" => return self.dice.pick(if bad { BAD_PATTERNS } else { PATTERNS }).to_owned(),
            "wildcard" | "strict wildcard" => return self.dice.pick(if bad { BAD_WILDCARDS } else { WILDCARDS }).to_owned(),
            "eq" | "==" | "ne" | "lt" | "ge" | "&" if self.dice.one_in(12) => return self.operand(depth.min(1)).0,
            _ => {}
        }
        let (good, spoiled) = match ty {
            Type::Int => (INTS, BAD_INTS),
            Type::Ip => (IPS, BAD_IPS),
            _ => (STRINGS, BAD_STRINGS),
        };
        self.dice.pick(if bad { spoiled } else { good }).to_owned()
    }

    fn set(&mut self, ty: &Type, bad: bool) -> String {
        let (good, spoiled): (&[&str], &[&str]) = match ty {
            Type::Int => (&["1", "2..5", "-5..5", "0x10", "7"], &["5..2", "1 ..5", "1,2", "1...5", "a"]),
            Type::Ip => (NETWORKS, BAD_NETWORKS),
            _ => (STRINGS, BAD_STRINGS),
        };
        let mut elements: Vec<&str> = (0..self.dice.roll(4)).map(|_| self.dice.pick(good)).collect();
        if bad {
            elements.push(self.dice.pick(spoiled));
        }
        let space = self.space();
        let open = self.dice.pick(&["{", "{ "]);
        format!("{open}{}{}", elements.join(space), self.dice.pick(&["}", " }"]))
    }

    /// A call over `first`, and what it yields if it is right.
    fn call(&mut self, first: &str, depth: usize) -> (String, Type) {
        const CALLS: &[(&str, &[&str], &str)] = &[
            ("lower", &[], "s"),
            ("upper", &[], "s"),
            ("len", &[], "i"),
            ("url_decode", &[], "s"),
            ("uuidv4", &[], "s"),
            ("starts_with", &["s"], "b"),
            ("ends_with", &["s"], "b"),
            ("contains", &["s"], "b"),
            ("wildcard", &["w"], "b"),
            ("substring", &["i", "i"], "s"),
            ("regex_replace", &["p", "s"], "s"),
            ("wildcard_replace", &["w", "s"], "s"),
            ("to_string", &[], "s"),
            ("lookup_json_string", &["s"], "s"),
            ("lookup_json_integer", &["s"], "i"),
            ("sha256", &[], "s"),
            ("remove_query_args", &["s", "s"], "s"),
            ("remove_bytes", &["s"], "s"),
            ("split", &["s", "i"], "a"),
            ("join", &["s"], "s"),
            ("has_key", &["s"], "b"),
            ("has_value", &["s"], "b"),
            ("cidr", &["i", "i"], "ip"),
            ("cidr6", &["i"], "ip"),
            ("ip_in_range", &["s"], "b"),
            ("encode_base64", &[], "s"),
            ("decode_base64", &[], "s"),
            ("bit_slice", &["i", "i"], "i"),
            ("concat", &["x"], "s"),
            ("coalesce", &["x"], "s"),
            ("trim", &[], "s"),
            ("trim_end", &["s"], "s"),
            ("hmac", &["s", "s"], "s"),
            ("is_timed_hmac_valid_v0", &["s", "i"], "b"),
            ("nothing", &[], "s"),
            ("sha512", &[], "s"),
        ];
        let (name, params, result) = CALLS[self.dice.roll(CALLS.len())];
        let mut args = vec![first.to_owned()];
        for param in params {
            let kind = if self.dice.one_in(20) { ["s", "i", "x"][self.dice.roll(3)] } else { param };
            args.push(match kind {
                "s" => self.dice.pick(&[r#""a""#, r#""/x""#, r#"r"b""#, r#""""#]).to_owned(),
                "i" => self.dice.pick(&["1", "8", "24", "0", "-2"]).to_owned(),
                "w" => self.dice.pick(&[r#""a*""#, r#""*""#]).to_owned(),
                "p" => self.dice.pick(&[r#""a""#, r#"r"^(.*)$""#]).to_owned(),
                _ => {
                    if self.dice.one_in(2) {
                        r#""z""#.to_owned()
                    } else {
                        self.operand(depth.min(1)).0
                    }
                }
            });
        }
        if self.dice.one_in(30) {
            args.pop();
        }
        let separator = self.dice.pick(&[", ", ",", " , "]);
        let call = format!("{name}({})", args.join(separator));
        let each = first.contains('*');
        let ty = match result {
            "s" => Type::Bytes,
            "i" => Type::Int,
            "b" => Type::Bool,
            "ip" => Type::Ip,
            _ => Type::Bytes.array(),
        };
        if each && !self.dice.one_in(8) && result != "b" { (format!("{call}[*]"), ty) } else { (call, ty) }
    }
}
