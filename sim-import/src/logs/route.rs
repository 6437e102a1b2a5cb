//! Routes: paths without what tells one object from another.

/// Most bytes of a folded path that are kept.
const LENGTH_MAX: usize = 120;

/// Writes the route of a request into `out`: without its query, and with `:id` for segments that are
/// numbers, hashes or UUIDs. What is no GET or HEAD begins with its method.
pub(crate) fn fold(method: &[u8], path: &[u8], out: &mut Vec<u8>) {
    out.clear();
    if !matches!(method, b"GET" | b"HEAD" | b"") {
        out.extend(method.iter().take(12));
        out.push(b' ');
    }
    // Absolute forms name a host first.
    let path = match memchr::memmem::find(&path[..path.len().min(9)], b"://") {
        Some(at) => {
            let rest = &path[at + 3..];
            memchr::memchr(b'/', rest).map_or(&b"/"[..], |slash| &rest[slash..])
        }
        None => path,
    };
    let end = memchr::memchr3(b'?', b'#', b';', path).unwrap_or(path.len());
    let path = &path[..end];
    if path.is_empty() {
        out.extend_from_slice(b"(none)");
        return;
    }
    for (place, segment) in path.split(|byte| *byte == b'/').enumerate() {
        if place > 0 {
            out.push(b'/');
        }
        if is_identity(segment) {
            out.extend_from_slice(b":id");
        } else {
            out.extend_from_slice(segment);
        }
        if out.len() > LENGTH_MAX {
            out.truncate(LENGTH_MAX);
            out.extend_from_slice("…".as_bytes());
            return;
        }
    }
}

/// Whether a segment names one object of many: digits, or eight and more of hexadecimal digits and hyphens
/// with a digit among them, or a long word with many digits.
fn is_identity(segment: &[u8]) -> bool {
    let digits = segment.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return false;
    }
    let hex = segment
        .iter()
        .all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    digits == segment.len()
        || (segment.len() >= 8 && hex)
        || (segment.len() >= 16 && digits * 4 >= segment.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_fold_and_words_stay() {
        for (method, path, wanted) in [
            ("GET", "/item/42?x=1", "/item/:id"),
            ("HEAD", "/", "/"),
            ("", "/a/550e8400-e29b-41d4-a716-446655440000/b", "/a/:id/b"),
            ("POST", "/v2/users", "POST /v2/users"),
            ("GET", "/img/logo2.png", "/img/logo2.png"),
            ("GET", "/c/0a1b2c3d4e", "/c/:id"),
            ("GET", "https://shop.example/p/7", "/p/:id"),
            ("GET", "", "(none)"),
            ("GET", "/facade", "/facade"),
        ] {
            let mut out = Vec::new();
            fold(method.as_bytes(), path.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), wanted, "{path}");
        }
    }

    #[test]
    fn endless_paths_end() {
        let mut out = Vec::new();
        fold(b"GET", &b"/abc".repeat(100_000), &mut out);
        assert!(out.len() <= LENGTH_MAX + 3);
    }
}
