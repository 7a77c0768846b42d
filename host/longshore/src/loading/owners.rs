//! The users whom the operator trusts with plugin files: from names or numbers to numbers.

use longshore_loader::diagnostic::escape;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::codes;

/// Where users are looked up.
const USERS: &str = "/etc/passwd";

/// The number of each user.
///
/// # Errors
/// `config/bad-value` for the first one that is no user of this machine.
pub(super) fn numbers(owners: &[String]) -> Result<Vec<u32>, Failure> {
    let users = match owners {
        [] => String::new(),
        _ => std::fs::read_to_string(USERS).unwrap_or_default(),
    };
    let known = |owner: &String| {
        let number = owner.parse().ok().or_else(|| number_of(&users, owner));
        number.ok_or_else(|| unknown(owner))
    };
    owners.iter().map(known).collect()
}

fn number_of(users: &str, name: &str) -> Option<u32> {
    let fields = users.lines().map(|line| line.split(':'));
    let mut found = fields.filter_map(|mut f| Some((f.next()?, f.nth(1)?)));
    found.find(|(user, _)| *user == name)?.1.parse().ok()
}

fn unknown(owner: &str) -> Failure {
    let owner = escape(owner);
    let what = format!("`trust.owners` names `{owner}`, which is no user of this machine");
    let help = format!("correct the name, or write the number of the user; see `{USERS}`");
    Failure::new(Exit::Configuration, codes::BAD_VALUE, what).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_become_numbers() {
        let users = "root:x:0:0:root:/root:/bin/sh\nacme:x:1234:7::/:/bin/false\n";
        assert_eq!(number_of(users, "acme"), Some(1234));
        assert_eq!(number_of(users, "acm"), None);
        let owners = ["root", "77"].map(str::to_owned);
        assert_eq!(numbers(&owners).ok(), Some(vec![0, 77]));
        assert!(numbers(&["nobody-has-this-name".to_owned()]).is_err());
    }
}
