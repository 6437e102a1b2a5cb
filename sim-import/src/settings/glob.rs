//! Patterns of file names.

/// Whether a name matches a pattern with `*`, `?` and `[…]`; as in a shell, a hidden name only matches a
/// pattern that begins with a dot.
pub fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where to go on when what came after a star does not fit: the star, and one character more for it.
    let mut back: Option<(usize, usize)> = None;
    while n < name.len() {
        let step = match pattern.get(p) {
            Some('*') => {
                back = Some((p, n));
                p += 1;
                continue;
            }
            Some('[') => one_of(&pattern[p..], name[n]),
            Some('?') => Some(1),
            Some(c) => (*c == name[n]).then_some(1),
            None => None,
        };
        match (step, back) {
            (Some(step), _) => {
                p += step;
                n += 1;
            }
            (None, Some((star, from))) => {
                back = Some((star, from + 1));
                (p, n) = (star + 1, from + 1);
            }
            (None, None) => return false,
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// The length of a `[…]` that has the character.
fn one_of(pattern: &[char], c: char) -> Option<usize> {
    let end = pattern.iter().position(|c| *c == ']')?;
    let inside = &pattern[1..end];
    let (negated, inside) = match inside.first() {
        Some('!' | '^') => (true, &inside[1..]),
        _ => (false, inside),
    };
    let mut at = 0;
    let mut found = false;
    while at < inside.len() {
        if let (Some('-'), Some(last)) = (inside.get(at + 1), inside.get(at + 2)) {
            found |= (inside[at]..=*last).contains(&c);
            at += 3;
        } else {
            found |= inside[at] == c;
            at += 1;
        }
    }
    (found != negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_marks_and_sets() {
        for (pattern, name, fits) in [
            ("*.conf", "a.conf", true),
            ("*.conf", ".hidden.conf", false),
            ("*.conf", "a.conf.bak", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("?.cfg", "x.cfg", true),
            ("[0-9]*", "10-web.conf", true),
            ("[!0-9]*", "10-web.conf", false),
            ("*", "sites", true),
            ("[", "[", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
