//! What people do, as it is typed: `web-1.weight = 3`, `drain web-2`, or with a whole path.

use crate::playback::Edit;
use crate::state::server_path;
use sim_core::model::Model;

/// Words of the time line that can be typed before a target.
const ACTS: [&str; 8] = [
    "drain", "undrain", "crash", "restart", "add", "remove", "heal", "failover",
];

/// A change as it is typed; `None` where it is none.
pub fn parse(model: &Model, typed: &str) -> Option<Edit> {
    let whole = |path: &str| {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let server = model.servers.iter().find(|server| server.name == first);
        server.map_or_else(
            || path.to_owned(),
            |server| {
                let service = &model.services[server.service.0 as usize].name;
                let dot = if rest.is_empty() { "" } else { "." };
                format!("{}{dot}{rest}", server_path(service, first))
            },
        )
    };
    if let Some((path, value)) = typed.split_once('=') {
        let (path, value) = (path.trim(), value.trim());
        let sound = path.contains('.') && !path.contains(' ') && !value.is_empty();
        return sound.then(|| Edit::set(whole(path), value));
    }
    let (action, target) = typed.split_once(' ')?;
    if let ("add", Some((name, like))) = (action, target.split_once(" like ")) {
        let (name, like) = (name.trim(), like.trim());
        let service = whole(like).strip_suffix(like).map(str::to_owned);
        let target = if name.contains('.') {
            name.to_owned()
        } else {
            format!("{}{name}", service?)
        };
        return target
            .starts_with("service.")
            .then(|| Edit::add(target, like));
    }
    let target = whole(target.trim());
    (ACTS.contains(&action) && target.starts_with("service.")).then(|| Edit::act(action, target))
}

/// A change as it can be typed.
pub fn typed(edit: &Edit) -> String {
    match edit {
        Edit::Set { path, value } => format!("{path} = {value}"),
        Edit::Do { action, target } => format!("{action} {target}"),
        Edit::Add { target, like } => format!("add {target} like {like}"),
    }
}
