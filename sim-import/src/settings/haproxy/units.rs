//! Times as `HAProxy` reads them.

use sim_core::time::Duration;

/// A time: bare numbers are milliseconds; `us`, `ms`, `s`, `m`, `h`, `d`.
pub(super) fn time(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().ok()?;
    let us: u64 = match &text[digits..] {
        "us" => 1,
        "" | "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => return None,
    };
    number.checked_mul(us)?.checked_mul(1_000).map(Duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_the_program() {
        assert_eq!(time("5000"), Some(Duration::from_millis(5_000)));
        assert_eq!(time("250us"), Some(Duration(250_000)));
        assert_eq!(time("3h"), Some(Duration::from_millis(10_800_000)));
        for wrong in [
            "",
            "x",
            "1.5s",
            "-1",
            "5y",
            "99999999999999999999",
            "9999999999999999d",
        ] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
    }
}
