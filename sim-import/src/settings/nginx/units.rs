//! Numbers, times and addresses as nginx reads them.

use sim_core::time::Duration;

/// A time: bare numbers are seconds; `ms`, `s`, `m`, `h`, `d`, `w`, and several one after the other.
pub(super) fn time(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let ms: u64 = match &rest[..letters] {
            "ms" => 1,
            "" | "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return None,
        };
        rest = rest[letters..].trim_start();
        total = total.checked_add(number.checked_mul(ms)?)?;
    }
    Some(Duration(total.checked_mul(1_000_000)?))
}

/// Requests a second, from `10r/s` or `100r/m`.
pub(super) fn rate(text: &str) -> Option<f64> {
    let (number, per) = text.split_once("r/")?;
    let number: u64 = number.parse::<u32>().ok()?.into();
    // It counts in whole thousandths.
    let thousandths = match per {
        "s" => number * 1000,
        "m" => number * 1000 / 60,
        _ => return None,
    };
    Some(thousandths as f64 / 1000.0)
}

/// The host and port of what a `proxy_pass` names: without scheme, path and what `unix:` has behind its socket.
pub(super) fn target(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    if let Some(path) = rest.strip_prefix("unix:") {
        return match path.split_once(':') {
            Some((socket, _)) => &rest[.."unix:".len() + socket.len()],
            None => rest,
        };
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    &rest[..end]
}

/// Whether an address is a name, which may stand for several machines.
pub(super) fn is_host_name(address: &str) -> bool {
    if address.starts_with("unix:") || address.starts_with('[') {
        return false;
    }
    let host = address.split(':').next().unwrap_or_default();
    let of_ip = host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    !host.is_empty() && !of_ip && host != "localhost"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_the_program() {
        assert_eq!(time("300"), Some(Duration::from_millis(300_000)));
        assert_eq!(time("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(time("1h30m"), Some(Duration::from_millis(5_400_000)));
        assert_eq!(time("1d"), Some(Duration::from_millis(86_400_000)));
        for wrong in ["", "x", "5y", "-1", "99999999999999999999"] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
        assert_eq!(rate("6000r/m"), Some(100.0));
        assert_eq!(rate("10r/s"), Some(10.0));
        assert_eq!(rate("5r/m"), Some(0.083));
        assert_eq!(rate("10"), None);
        assert_eq!(target("http://shop/api?x"), "shop");
        assert_eq!(target("http://unix:/run/a.sock:/x/"), "unix:/run/a.sock");
        assert_eq!(target("10.0.0.1:80"), "10.0.0.1:80");
        assert!(is_host_name("api:80") && !is_host_name("10.1.2.3") && !is_host_name("[::1]:80"));
    }
}
