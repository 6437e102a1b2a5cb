//! Words for what is shown.

use sim_core::event_log::{Event, Kind, Subject};

/// The site's state in words.
pub fn site_word(site: Kind) -> &'static str {
    site.site_state().unwrap_or_default()
}

/// An event of the event log in few words.
pub fn event_words(event: &Event) -> String {
    // A change without words of its own is told by what it sets.
    if event.kind.def().subject == Subject::Settings
        && (event.cause.is_empty() || event.cause == "what if")
    {
        let (path, value) = event
            .subject
            .split_once(" = ")
            .unwrap_or((&event.subject, ""));
        return format!("{} = {value}", sim_core::edit::short_path(path));
    }
    event.phrase()
}
