//! What does not hold, in the words by which a CI service shows it beside the line.

use super::Case;

/// A line for GitHub Actions: a workflow command.
pub(super) fn github(case: &Case) -> Option<String> {
    let why = case.failure.as_ref()?;
    Some(format!(
        "::error file={},line={},title={}::{}",
        property(&case.file),
        case.line.max(1),
        property(&case.what),
        message(why)
    ))
}

fn message(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// In front of the message, commas and colons part one property from the next.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
