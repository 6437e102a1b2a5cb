//! What each server was like over time, and what it does now. Of more servers than lines, those come first with
//! which something is wrong, then those that hold most.

use super::axis::Axis;
use super::look::{bar, sign};
use super::plan::Plan;
use super::{Scene, WEAK, put, put_right, width};
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::Style;
use sim_core::engine::{InstanceSnapshot, MachineState, ServerSnapshot};
use sim_core::readable;
use sim_core::text::shown;
use sim_playback::{BranchReport, Condition, Lane};
use std::cmp::Reverse;

/// A server's name; with its service where there are several.
pub(super) fn name_of(branch: &BranchReport, server: usize) -> String {
    let model = &branch.model;
    let server = &model.servers[server];
    let name = shown(&server.name);
    match model.services.as_slice() {
        [_] => name.into_owned(),
        services => format!(
            "{}/{name}",
            shown(&services[server.service.0 as usize].name)
        ),
    }
}

/// Draws a line for each balancer instance, and one for each server.
pub(super) fn draw(scene: &Scene<'_>, plan: &Plan, axis: &Axis, buffer: &mut Buffer) {
    let snapshot = &scene.view.snapshot;
    let area = plan.servers;
    // Where not even the servers have their lines, balancers give way to half of them.
    let instances = snapshot.instances.len();
    let room = usize::from(area.height);
    let instances = if instances + snapshot.servers.len() <= room {
        instances
    } else {
        instances.min(room / 3)
    };
    let line = |number: usize| Rect::new(area.x, area.y + number as u16, area.width, 1);
    let mut down_first: Vec<&InstanceSnapshot> = snapshot.instances.iter().collect();
    down_first.sort_by_key(|instance| instance.state == MachineState::Up);
    for (number, balancer) in down_first.iter().take(instances).enumerate() {
        instance(scene, balancer, plan, line(number), buffer);
    }
    let lines = room - instances;
    let conditions: Vec<Condition> = (0..snapshot.servers.len())
        .map(|i| Condition::of(&snapshot.servers[i], &scene.branch.model.servers[i]))
        .collect();
    let mut order: Vec<usize> = (0..conditions.len()).collect();
    let mut rest = Vec::new();
    if order.len() > lines {
        let server = |i: usize| &snapshot.servers[i];
        order.sort_by_key(|&i| (rank(conditions[i]), Reverse(server(i).in_system), i));
        rest = order.split_off(lines.saturating_sub(1));
    }
    for (number, &i) in order.iter().enumerate() {
        server(
            scene,
            i,
            conditions[i],
            (plan, axis),
            line(instances + number),
            buffer,
        );
    }
    if !rest.is_empty() && lines > 0 {
        let rest: Vec<Condition> = rest.into_iter().map(|i| conditions[i]).collect();
        let at = line(instances + order.len());
        let words = rest_words(&rest);
        put(buffer, (at.x, at.y), at.width, &words, WEAK);
    }
}

/// Which conditions matter most: first those with which something is wrong.
pub(super) fn rank(condition: Condition) -> usize {
    const ORDER: [Condition; 9] = [
        Condition::Down,
        Condition::Full,
        Condition::Flooded,
        Condition::Starting,
        Condition::Busy,
        Condition::Warming,
        Condition::Drained,
        Condition::Ok,
        Condition::Absent,
    ];
    ORDER
        .iter()
        .position(|c| *c == condition)
        .unwrap_or(ORDER.len())
}

/// What is not shown one by one, counted.
fn rest_words(rest: &[Condition]) -> String {
    let mut kinds: Vec<Condition> = rest.to_vec();
    kinds.sort_by_key(|condition| rank(*condition));
    kinds.dedup();
    let count = |kind: Condition| rest.iter().filter(|c| **c == kind).count();
    let kinds: Vec<String> = kinds
        .into_iter()
        .map(|kind| format!("{} {}", readable::number(count(kind) as f64), kind.word()))
        .collect();
    let all = readable::number(rest.len() as f64);
    format!("… and {all} more: {}", kinds.join(", "))
}

fn server(
    scene: &Scene<'_>,
    number: usize,
    condition: Condition,
    (plan, axis): (&Plan, &Axis),
    line: Rect,
    buffer: &mut Buffer,
) {
    let [names, lane, now] = plan.parts(line);
    let snapshot = &scene.view.snapshot.servers[number];
    let name = name_of(scene.branch, number);
    put(buffer, (names.x, names.y), names.width, &name, Style::new());
    let series = Lane::of(scene.branch, number);
    for x in 0..axis.columns() {
        let worst = axis
            .rows(x)
            .filter_map(|row| series.at(row))
            // In a column that stands for several rows, the worst is shown.
            .min_by_key(|c| rank(*c));
        if let Some(worst) = worst {
            let (letter, style) = scene.look.lane(worst);
            put(buffer, (lane.x + x, lane.y), 1, letter, style);
        }
    }
    let style = scene.look.condition(condition);
    state(condition, style, plan, now, buffer);
    let limit = scene.branch.model.servers[number].params.queue_limit;
    figures(snapshot, limit, style, plan, now, buffer);
}

/// The condition's sign, and its word where there is room.
fn state(condition: Condition, style: Style, plan: &Plan, now: Rect, buffer: &mut Buffer) {
    let sign = sign(condition);
    if plan.bar == 0 {
        put(buffer, (now.x, now.y), 1, &sign.to_string(), style);
    } else {
        let words = format!("{sign} {}", condition.word());
        put(buffer, (now.x, now.y), 10, &words, style);
    }
}

/// Workers that are busy, and what waits, of their limits.
fn figures(
    server: &ServerSnapshot,
    limit: u32,
    style: Style,
    plan: &Plan,
    now: Rect,
    buffer: &mut Buffer,
) {
    if server.state == MachineState::Absent {
        return;
    }
    let share = |part: u32, whole: u32| f64::from(part) / f64::from(whole.max(1));
    let busy = format!("{}/{}", server.busy, server.workers);
    let queue_len = readable::short(f64::from(server.queue_len));
    // What has no limit has no bar.
    let (queue, filled) = if limit == u32::MAX {
        (queue_len, None)
    } else {
        let words = format!("{queue_len}/{}", readable::short(f64::from(limit)));
        (words, Some(share(server.queue_len, limit)))
    };
    if plan.bar == 0 {
        put_right(buffer, (now.x + 2, now.y), 7, &busy, Style::new());
        put_right(buffer, (now.x + 10, now.y), 9, &queue, Style::new());
        return;
    }
    let served = Some(share(server.busy, server.workers));
    for (x, filled, words) in [
        (now.x + 11, served, busy),
        (now.x + 20 + plan.bar, filled, queue),
    ] {
        let (bar, edge) = filled.map_or((String::new(), ' '), |share| (bar(share, plan.bar), '▏'));
        put(buffer, (x, now.y), plan.bar, &bar, style);
        let words = format!("{edge}{words}");
        put(buffer, (x + plan.bar, now.y), 8, &words, Style::new());
    }
}

/// A balancer instance: no figures are kept of it over time, so that its lane says what it does now.
fn instance(
    scene: &Scene<'_>,
    instance: &InstanceSnapshot,
    plan: &Plan,
    line: Rect,
    buffer: &mut Buffer,
) {
    let [names, lane, now] = plan.parts(line);
    let name = shown(&instance.name);
    put(buffer, (names.x, names.y), names.width, &name, Style::new());
    let condition = match instance.state {
        MachineState::Up => Condition::Ok,
        MachineState::Down => Condition::Down,
        MachineState::Booting => Condition::Starting,
        MachineState::Absent => Condition::Absent,
    };
    if condition == Condition::Ok {
        let words = format!(
            "{} eligible, {} waiting",
            readable::number(f64::from(instance.eligible)),
            readable::number(f64::from(instance.waiting)),
        );
        let whole = format!("balancer: {words}");
        let words = if width(&whole) > lane.width {
            words
        } else {
            whole
        };
        put(buffer, (lane.x, lane.y), lane.width, &words, WEAK);
    }
    let style = scene.look.condition(condition);
    state(condition, style, plan, now, buffer);
}
