//! Lines for a shell: what is copied to be run elsewhere.

use sim_core::scenario::Source;
pub use sim_core::text::shell_word as word;

/// A line that writes a file.
pub fn write(file: &Source) -> String {
    format!("cat > {}{}", word(&file.name), input(&file.text))
}

/// What follows a command that reads a text: ` <<'EOF'` and the text. It ends with a line's end.
pub fn input(text: &str) -> String {
    // A text may hold any line, so the word that ends it is one it does not hold.
    let mut end = "EOF".to_owned();
    while text.lines().any(|line| line == end) {
        end.push('F');
    }
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    format!(" <<'{end}'\n{text}{newline}{end}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_shell() {
        assert_eq!(word("a.b=c,d"), "a.b=c,d");
        assert_eq!(word("x={ kind = \"fixed\" }"), "'x={ kind = \"fixed\" }'");
        assert_eq!(word("it's"), "'it'\\''s'");
        assert_eq!(word("a.*.b=1..2/3 log"), "'a.*.b=1..2/3 log'");
    }

    #[test]
    fn a_text_ends_where_it_ends() {
        assert_eq!(input("a = 1"), " <<'EOF'\na = 1\nEOF\n");
        assert_eq!(input("EOF\n"), " <<'EOFF'\nEOF\nEOFF\n");
        let file = Source::new("it's.toml", "a = 1\n");
        assert_eq!(write(&file), "cat > 'it'\\''s.toml' <<'EOF'\na = 1\nEOF\n");
    }
}
