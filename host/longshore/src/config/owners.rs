//! The users whom the operator trusts with plugin files: from names or numbers to numbers.
//!
//! Called by `check` for names that are nobody's, and by `loading` for the numbers.

/// Where users are looked up.
pub(crate) const USERS: &str = "/etc/passwd";

/// The number of each user; nothing for one who is no user of this machine.
pub(crate) fn numbers(owners: &[String]) -> Vec<Option<u32>> {
    let users = match owners {
        [] => String::new(),
        _ => std::fs::read_to_string(USERS).unwrap_or_default(),
    };
    let number = |owner: &String| owner.parse().ok().or_else(|| number_of(&users, owner));
    owners.iter().map(number).collect()
}

fn number_of(users: &str, name: &str) -> Option<u32> {
    let fields = users.lines().map(|line| line.split(':'));
    let mut found = fields.filter_map(|mut f| Some((f.next()?, f.nth(1)?)));
    found.find(|(user, _)| *user == name)?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_become_numbers() {
        let users = "root:x:0:0:root:/root:/bin/sh\nacme:x:1234:7::/:/bin/false\n";
        assert_eq!(number_of(users, "acme"), Some(1234));
        assert_eq!(number_of(users, "acm"), None);
        let owners = ["root", "77", "nobody-has-this-name"].map(str::to_owned);
        assert_eq!(numbers(&owners), [Some(0), Some(77), None]);
    }
}
