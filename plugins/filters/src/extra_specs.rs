//! The operators of extra specs: `matches("10", ">= 5")`.
//!
//! Text in, verdict out: knows neither hosts nor flavors. What cannot be compared (a number with a
//! word, an operator without an operand) does not match; it is never an error. Called by
//! `compute_capabilities`.

/// Whether a value satisfies a requirement. The first word of the requirement is the operator;
/// without one the two must be equal, letter by letter.
pub(crate) fn matches(value: &str, wanted: &str) -> bool {
    let mut words = wanted.split_whitespace();
    let operator = words.next().unwrap_or_default();
    if operator == "<or>" {
        // Operands stand at every other place: `<or> a <or> b`.
        return words.step_by(2).any(|word| word == value);
    }
    if operator == "<all-in>" {
        let mut words = words.peekable();
        return words.peek().is_some() && words.all(|word| value.contains(word));
    }
    let compare: fn(&str, &str) -> bool = match operator {
        "=" | ">=" => |value, operand| numbers(value, operand, |v, o| v >= o),
        "==" => |value, operand| numbers(value, operand, |v, o| v == o),
        "!=" => |value, operand| numbers(value, operand, |v, o| v != o),
        "<=" => |value, operand| numbers(value, operand, |v, o| v <= o),
        "s==" => |value, operand| value == operand,
        "s!=" => |value, operand| value != operand,
        "s<" => |value, operand| value < operand,
        "s<=" => |value, operand| value <= operand,
        "s>" => |value, operand| value > operand,
        "s>=" => |value, operand| value >= operand,
        "<in>" => |value, operand| value.contains(operand),
        _ => return value == wanted,
    };
    words
        .next()
        .map_or(false, |operand| compare(value, operand))
}

fn numbers(value: &str, operand: &str, holds: fn(f64, f64) -> bool) -> bool {
    match (value.trim().parse(), operand.parse()) {
        (Ok(value), Ok(operand)) => holds(value, operand),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn verdicts_are_those_of_nova() {
        for (value, wanted, expected) in [
            ("10", "= 5", true),
            ("4", "= 5", false),
            ("10", "== 10.0", true),
            ("10", ">= 11", false),
            ("10", "!= 10", false),
            ("1", "<= 1", true),
            ("abc", "s== abc", true),
            ("abc", "s< abd", true),
            ("abc", "<in> b", true),
            ("aes mmx", "<all-in> aes mmx", true),
            ("aes", "<all-in> aes mmx", false),
            ("b", "<or> a <or> b", true),
            ("c", "<or> a <or> b", false),
            ("10", "10", true),
            ("10", "s==", false),
            ("10", "", false),
            ("x", "foo x", false),
            ("foo x", "foo x", true),
        ] {
            assert_eq!(matches(value, wanted), expected, "`{value}` and `{wanted}`");
        }
    }

    #[test]
    fn what_fails_in_nova_does_not_match_here() {
        assert!(!matches("10", "<or>"));
        assert!(!matches("abc", ">= 1"));
        assert!(!matches("1", ">= abc"));
    }

    #[test]
    fn all_text_operators_compare_letters() {
        assert!(matches("b", "s> a") && matches("b", "s>= b") && matches("b", "s<= b"));
        assert!(matches("b", "s!= a") && !matches("10", "s> 9"));
    }

    #[test]
    fn an_operator_alone_never_matches() {
        for operator in [
            "=", "==", "!=", ">=", "<=", "s!=", "s<", "<in>", "<all-in>", "<or>",
        ] {
            assert!(!matches("", operator), "{operator}");
            assert!(!matches(operator, operator), "{operator}");
        }
    }

    #[test]
    fn what_looks_like_an_operator_but_is_none_is_text() {
        assert!(matches("> 5", "> 5"));
        assert!(!matches("10", "> 5"));
        assert!(matches("", ""));
        assert!(matches("a", "<or>  a"), "any white space separates words");
    }
}
