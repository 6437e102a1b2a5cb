//! What goes where, and what is left out of small screens.

use super::Scene;
use super::look::width;
use super::servers::name_of;
use ratatui_core::layout::Rect;

/// Columns from which the story stands beside the rest.
const BESIDE: u16 = 130;

/// What goes where.
pub(super) struct Plan {
    /// Clock, state, key figures.
    pub header: Rect,
    /// The curves.
    pub rates: Rect,
    /// Lines of each curve.
    pub curve: u16,
    /// The hours.
    pub axis: Rect,
    /// A line for each server and balancer instance.
    pub servers: Rect,
    /// Signs of events over time; empty on small screens.
    pub strip: Rect,
    /// The event log.
    pub story: Rect,
    /// Keys, and the verdict above them.
    pub foot: Rect,
    /// Columns of names, of what changes over time, and of what is now.
    pub columns: [u16; 3],
    /// Columns of a bar; none on small screens.
    pub bar: u16,
}

impl Plan {
    /// The plan for an area.
    pub(super) fn of(scene: &Scene<'_>, area: Rect) -> Self {
        let head = 2;
        let foot = 1 + super::closing(scene, area.width).len() as u16;
        let body = Rect::new(area.x, area.y + head, area.width, area.height - head - foot);
        let beside = area.width >= BESIDE;
        let (left, story) = if beside {
            let right = (area.width * 2 / 5).min(84);
            let left = Rect::new(body.x, body.y, body.width - right - 2, body.height);
            let story = Rect::new(left.right() + 2, body.y, right, body.height);
            (left, Some(story))
        } else {
            (body, None)
        };
        let machines = scene.view.snapshot.servers.len() + scene.view.snapshot.instances.len();
        let machines = u16::try_from(machines).unwrap_or(u16::MAX);
        let lines = lines(left.height, machines, beside);
        let mut from = left;
        let mut take = |count: u16| {
            let part = Rect::new(from.x, from.y, from.width, count.min(from.height));
            from = super::below(from, count);
            part
        };
        let (rates, axis) = (take(lines.curve * lines.curves), take(1));
        let (servers, strip) = (take(lines.servers), take(lines.strip));
        let bar = match left.width {
            0..60 => 0,
            60..100 => 4,
            100..120 => 6,
            _ => 8,
        };
        // The state's word, and two figures of which each has a bar where there is room.
        let now = if bar == 0 { 19 } else { 11 + 2 * (bar + 9) };
        let names = names(scene).clamp(8, (left.width / 5).max(8));
        Self {
            header: Rect::new(area.x, area.y, area.width, head),
            rates,
            curve: lines.curve,
            axis,
            servers,
            strip,
            story: story.unwrap_or(from),
            foot: Rect::new(area.x, area.bottom() - foot, area.width, foot),
            columns: [names, left.width - names - now - 2, now],
            bar,
        }
    }

    /// The place of names in a line, that of what changes over time, and that of what is now.
    pub(super) fn parts(&self, line: Rect) -> [Rect; 3] {
        let [names, lane, now] = self.columns;
        let part = |x, columns| Rect::new(line.x + x, line.y, columns, line.height);
        [
            part(0, names),
            part(names + 1, lane),
            part(names + lane + 2, now),
        ]
    }
}

/// Columns of the longest name.
fn names(scene: &Scene<'_>) -> u16 {
    let servers = &scene.branch.model.servers;
    let servers = (0..servers.len()).map(|server| width(&name_of(scene.branch, server)));
    let instances = scene.view.snapshot.instances.iter();
    let instances = instances.map(|instance| width(&instance.name));
    servers.chain(instances).max().unwrap_or(0)
}

/// Lines of each part.
struct Lines {
    curves: u16,
    curve: u16,
    servers: u16,
    strip: u16,
}

/// The story keeps at least two lines, and a third of what is left, up to twelve; what nobody else takes makes
/// curves higher.
fn lines(height: u16, machines: u16, beside: bool) -> Lines {
    let curves = if height >= 10 { 3 } else { 1 };
    let strip = if height >= 13 { 2 } else { 0 };
    let left = height - curves - 1 - strip;
    let story = if beside { 0 } else { (left / 3).max(2) };
    let servers = machines.min(left - story);
    let story = if beside { 1 } else { story.max(12) };
    let spare = left.saturating_sub(servers + story) / curves;
    Lines {
        curves,
        curve: 1 + spare.min(6),
        servers,
        strip,
    }
}
