//! Everything that can be done, once: keys, menus, the palette and the help follow from one table.

use crate::experiment::Draft;
use crate::playback::Edit;
pub use crate::playback::transport::{SPEEDS, speed_words};
use crate::state::Thing;
use eframe::egui::{Key, KeyboardShortcut, Modifiers};
use sim_core::time::Instant;

/// Something to do.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Play, or pause.
    PlayPause,
    /// Go to a moment.
    Seek(Instant),
    /// Go so many seconds forward or back.
    SeekBy(f64),
    /// To the beginning.
    First,
    /// To the end.
    Last,
    /// One event forward.
    Step,
    /// To the next event of the event log.
    NextEvent,
    /// To the previous one.
    PreviousEvent,
    /// To the n-th moment of the event log.
    EventNumber(usize),
    /// Simulated seconds per second.
    Speed(f64),
    /// The next higher speed.
    Faster,
    /// The next lower speed.
    Slower,
    /// The speed follows the story, or not.
    Director,
    /// Pause at events, or not.
    PauseAtEvents,
    /// Mark the beginning of a loop, then its end, then no loop.
    Loop,
    /// Show a stretch of the run in plots, or all of it.
    Zoom(Option<(Instant, Instant)>),
    /// Mark a stretch of the run, to be told what happened in it; or none.
    Mark(Option<(Instant, Instant)>),
    /// Keep a lane on top, by its name, or no longer.
    Pin(String),
    /// The same of the lane of what is selected.
    PinSelected,
    /// Show the marked stretch from edge to edge, or all of the run.
    Fit,
    /// Select something, or nothing.
    Select(Option<Thing>),
    /// Change something now: a fork.
    Edit(Edit),
    /// Change several things now, as one step: a fork.
    Fork(Vec<Edit>),
    /// Ask what servers would get if these changes were made now.
    Expect(Vec<Edit>),
    /// Answer a card of the lesson, and lock the answer or not.
    Answer(usize, usize, bool),
    /// A vote of a class for an answer of a card: one more, or one less.
    Vote(usize, usize, bool),
    /// Go on with the lesson.
    Continue,
    /// A class votes, in letters that can be read from far away; or one person answers.
    ClassMode,
    /// Go to a moment and make a change there, both as typed.
    Try(String, String),
    /// Play the run from its beginning, to be watched.
    Watch,
    /// The same, with the lesson's questions.
    TakeLesson,
    /// Take the latest change back.
    Undo,
    /// Make it again.
    Redo,
    /// Show a branch, and another beside it.
    Show(usize, Option<usize>),
    /// Close a branch.
    Close(usize),
    /// Change places of the two branches shown.
    Swap,
    /// Two topologies, or one.
    Split,
    /// Show what is known of the future, or hide it.
    Reveal,
    /// Open or close a panel.
    Panel(&'static str),
    /// Show a plot, or not.
    Plot(&'static str),
    /// Open a model by name.
    OpenModel(String),
    /// Run another text in place of the open scenario.
    OpenText(String),
    /// Save the scenario's text as a file.
    SaveScenario,
    /// Run the same with another seed, or with the scenario's own.
    Seed(Option<u64>),
    /// Run the same with the next seed.
    NextSeed,
    /// Light or dark.
    Theme,
    /// Movement, or none.
    ReducedMotion,
    /// The list of all commands.
    Palette,
    /// The list of all keys.
    Help,
    /// Close what is open on top, or select nothing.
    Escape,
    /// Panels as at the first start.
    ResetLayout,
    /// Copy the command that reproduces the future that is shown: the one beside, or else the main
    /// one.
    CopyCommand,
    /// Copy the same future as an overlay.
    CopyOverlay,
    /// Save that overlay as a file.
    SaveOverlay,
    /// Copy a link to what is shown.
    CopyLink,
    /// Copy a text.
    Copy(String),
    /// Run an experiment.
    Experiment(Box<Draft>),
    /// Compare the balancer's policy with others.
    ComparePolicies,
    /// Compare the open scenario with the future that is shown.
    CompareFutures,
    /// Look for the last moment at which what the future shown changes would have helped.
    FindDeadline,
    /// Sweep how many requests come.
    SweepLoad,
    /// Stop the experiment.
    StopExperiment,
    /// Look for what is dangerous in the text of the scenario.
    Doctor,
    /// Stop looking.
    StopDoctor,
    /// Write what would mend a finding, by its number, into the text.
    Mend(usize),
    /// Show a line of the text.
    Line(usize),
    /// Copy the command that does the same as the experiment.
    CopyExperiment,
    /// Save the table of the experiment.
    SaveTable,
    /// Save the plan of a sweep.
    SavePlan,
}

/// A command that needs nothing more to be done.
pub struct CommandDef {
    /// Short name, fixed.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// Keys that do it.
    pub keys: &'static [KeyboardShortcut],
    /// What it does.
    pub about: &'static str,
    /// The command.
    pub command: Command,
}

const fn key(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}
const fn shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::SHIFT, key)
}
const fn ctrl(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}

macro_rules! commands {
    ($($name:literal, $title:literal, [$($keys:expr),*], $command:expr, $about:literal;)*) => {
        &[$(CommandDef { name: $name, title: $title, keys: &[$($keys),*], about: $about, command: $command }),*]
    };
}

/// Every command that has a name. Keys with more modifiers stand before those with fewer.
pub static COMMANDS: &[CommandDef] = commands![
    "play", "Play or pause", [key(Key::Space)], Command::PlayPause, "Lets time run, or stops it.";
    "watch", "Watch the day", [], Command::Watch, "Plays the run from its beginning.";
    "take-lesson", "Take the lesson", [], Command::TakeLesson, "Plays the run from its beginning and stops at each question of its lesson.";
    "continue", "Go on with the lesson", [key(Key::Enter)], Command::Continue, "Locks the answer, plays to where it is seen, and on to the next question.";
    "class-mode", "Lesson before a class", [], Command::ClassMode, "A class votes, with large letters; the votes count once they are locked.";
    "step", "One event forward", [ctrl(Key::ArrowRight)], Command::Step, "Does exactly one event of the simulation.";
    "next-event", "Next event of the event log", [key(Key::Period)], Command::NextEvent, "Goes to the next thing that happens.";
    "previous-event", "Previous event of the event log", [key(Key::Comma)], Command::PreviousEvent, "Goes back to the last thing that happened.";
    "forward-far", "100 seconds forward", [shift(Key::ArrowRight)], Command::SeekBy(100.0), "Goes forward in time.";
    "back-far", "100 seconds back", [shift(Key::ArrowLeft)], Command::SeekBy(-100.0), "Goes back in time.";
    "forward", "10 seconds forward", [key(Key::ArrowRight)], Command::SeekBy(10.0), "Goes forward in time.";
    "back", "10 seconds back", [key(Key::ArrowLeft)], Command::SeekBy(-10.0), "Goes back in time.";
    "first", "To the beginning", [key(Key::Home)], Command::First, "Goes to the beginning of the run.";
    "last", "To the end", [key(Key::End)], Command::Last, "Simulates to the end of the run and goes there.";
    "faster", "Faster", [key(Key::CloseBracket)], Command::Faster, "The next higher speed.";
    "slower", "Slower", [key(Key::OpenBracket)], Command::Slower, "The next lower speed.";
    "director", "Director", [], Command::Director, "The speed follows the story: slow about events, fast in quiet times; over the stage stands why.";
    "pause-at-events", "Pause at events", [key(Key::E)], Command::PauseAtEvents, "While playing, stops wherever something happens.";
    "loop", "Loop a stretch", [key(Key::L)], Command::Loop, "Marks here as the beginning of a loop; again, its end; again, no loop.";
    "whole-run", "Plots of the whole run", [], Command::Zoom(None), "Plots show the whole run again, after a stretch of it was marked with Shift.";
    "fit", "The marked stretch, or the whole run", [key(Key::F)], Command::Fit, "Shows the stretch that was marked with Ctrl from edge to edge; again, or without one, the whole run.";
    "pin", "Pin the lane of what is selected", [key(Key::P)], Command::PinSelected, "Keeps the lane of the selected server or balancer on top, in every future; again, no longer. A click on a lane's name does the same.";
    "stop-experiment", "Stop the experiment", [shift(Key::X)], Command::StopExperiment, "Stops the comparison or sweep that is running; what is complete is kept.";
    "stop-doctor", "Stop looking for what is dangerous", [shift(Key::D)], Command::StopDoctor, "Stops the doctor; what was tried is kept.";
    "doctor", "Look for what is dangerous", [key(Key::D)], Command::Doctor, "Looks for dangerous settings in the scenario's text, and tries by simulation what each costs.";
    "swap", "Swap the futures", [key(Key::X)], Command::Swap, "The branch beside becomes the main one.";
    "split", "Split the picture", [key(Key::S)], Command::Split, "Two futures one above the other, or the main one alone.";
    "reveal", "Show the future", [key(Key::R)], Command::Reveal, "Shows what is already simulated beyond the moment shown, or hides it.";
    "redo", "Redo", [KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z)], Command::Redo, "Makes the change again that was taken back.";
    "undo", "Undo", [ctrl(Key::Z)], Command::Undo, "Takes the latest change back.";
    "next-seed", "Run with the next seed", [], Command::NextSeed, "Runs the same with other random numbers, to see what was chance.";
    "own-seed", "Run with the scenario's own seed", [], Command::Seed(None), "Runs with the seed that the scenario says.";
    "palette", "All commands", [ctrl(Key::K), ctrl(Key::P)], Command::Palette, "Finds a command by typing a part of its name.";
    "help", "Keys and help", [key(Key::Questionmark), shift(Key::Questionmark), key(Key::F1)], Command::Help, "Lists every key.";
    "theme", "Light or dark", [key(Key::T)], Command::Theme, "Changes between light and dark.";
    "reduced-motion", "Reduced motion", [], Command::ReducedMotion, "Requests no longer move; the thickness of lines tells their share of the rate.";
    "copy-command", "Copy the command", [shift(Key::C)], Command::CopyCommand, "Copies the stampede command that reproduces the future beside, or else the main one.";
    "copy-overlay", "Copy as overlay", [], Command::CopyOverlay, "Copies the future beside, or else the main one, as a scenario file laid upon the open one.";
    "save-scenario", "Save the scenario", [KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::S)], Command::SaveScenario, "Saves the scenario's text, as it is typed: into its file, or a model's into a new one.";
    "save-overlay", "Save as overlay", [ctrl(Key::S)], Command::SaveOverlay, "Saves the future beside, or else the main one, as a scenario file.";
    "copy-link", "Copy a link", [], Command::CopyLink, "Copies a link to what is shown: scenario, seed, changes and moment.";
    "copy-experiment", "Copy the experiment's command", [], Command::CopyExperiment, "Copies the stampede command that gives the same comparison or sweep.";
    "save-table", "Save the experiment's table", [], Command::SaveTable, "Saves the table of the comparison or sweep as CSV, as the command writes it.";
    "save-plan", "Save the sweep as a plan", [], Command::SavePlan, "Saves the sweep with its scenario as a plan for stampede sweep.";
    "compare-policies", "Compare balancer policies", [], Command::ComparePolicies, "Runs the scenario with several policies, and says which differ for sure.";
    "compare-futures", "Compare with the future beside", [], Command::CompareFutures, "Runs the scenario as opened and the future shown many times, and says whether they differ.";
    "find-deadline", "Find the point of no return", [], Command::FindDeadline, "Until when what was changed in the future shown, or what you type, would have helped.";
    "sweep-load", "Sweep the load", [], Command::SweepLoad, "Runs the scenario with fewer and more requests, and draws figures over it.";
    "reset-layout", "Reset the layout", [], Command::ResetLayout, "Panels and plots as at the first start.";
    "escape", "Close or deselect", [key(Key::Escape)], Command::Escape, "Closes what is open on top; otherwise selects nothing.";
];

/// Keys that move the lanes while the pointer is over them or they have the focus; elsewhere they are other commands.
pub const LANE_KEYS: [(Key, &str, &str); 4] = [
    (
        Key::W,
        "Lanes larger",
        "Over the lanes: larger, about the pointer.",
    ),
    (Key::S, "Lanes smaller", "Over the lanes: smaller."),
    (Key::A, "Lanes earlier", "Over the lanes: what was before."),
    (Key::D, "Lanes later", "Over the lanes: what comes after."),
];

/// The digits: they go to moments of the event log.
pub const DIGITS: [Key; 9] = [
    Key::Num1,
    Key::Num2,
    Key::Num3,
    Key::Num4,
    Key::Num5,
    Key::Num6,
    Key::Num7,
    Key::Num8,
    Key::Num9,
];

/// Keys in words.
pub fn keys_words(keys: &[KeyboardShortcut]) -> String {
    let one = |shortcut: &KeyboardShortcut| {
        let mut words = Vec::new();
        for (held, word) in [
            (shortcut.modifiers.command, "Ctrl"),
            (
                shortcut.modifiers.shift && shortcut.logical_key != Key::Questionmark,
                "Shift",
            ),
        ] {
            if held {
                words.push(word.to_owned());
            }
        }
        words.push(match shortcut.logical_key {
            Key::ArrowLeft => "←".to_owned(),
            Key::ArrowRight => "→".to_owned(),
            Key::Escape => "Esc".to_owned(),
            other => other.symbol_or_name().to_owned(),
        });
        words.join("+")
    };
    let mut all: Vec<String> = keys.iter().map(one).collect();
    all.dedup();
    all.join(", ")
}

/// The command of a name.
pub fn find(name: &str) -> Option<&'static CommandDef> {
    COMMANDS.iter().find(|command| command.name == name)
}

/// A hint for a button: what it does and its key.
pub fn hint(name: &str) -> String {
    find(name).map_or_else(String::new, |command| {
        let keys = keys_words(command.keys);
        if keys.is_empty() {
            command.title.to_owned()
        } else {
            format!("{}  ({keys})", command.title)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_keys_are_taken_once() {
        for (i, a) in COMMANDS.iter().enumerate() {
            for b in &COMMANDS[i + 1..] {
                assert_ne!(a.name, b.name);
                assert_ne!(a.title, b.title);
                for key in a.keys {
                    assert!(
                        !b.keys.contains(key),
                        "{} and {} share a key",
                        a.name,
                        b.name
                    );
                }
            }
            assert!(
                a.about.ends_with('.') && !a.about.contains('\n'),
                "{}",
                a.name
            );
        }
    }
}
