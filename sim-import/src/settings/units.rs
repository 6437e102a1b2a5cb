//! Numbers that several programs write alike.

/// Bytes, or entries, from `10m`, `64k` or a bare number.
pub(super) fn size(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].to_ascii_lowercase().as_str() {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_have_letters() {
        assert_eq!(size("10m"), Some(10 << 20));
        assert_eq!(size("100K"), Some(102_400));
        for wrong in ["", "x", "1x", "99999999999999999999", "99999999999g"] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
    }
}
