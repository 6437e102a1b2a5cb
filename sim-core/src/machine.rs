//! What a machine, a server or a balancer instance, can be doing: a closed list.

/// What a machine is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum MachineState {
    /// Serving.
    Up,
    /// Crashed.
    Down,
    /// Starting.
    Booting,
    /// Not there: not added yet, removed, or a spare standing by.
    Absent,
}

impl MachineState {
    /// All of them, by their numbers.
    pub const ALL: [Self; 4] = [Self::Up, Self::Down, Self::Booting, Self::Absent];

    /// Whether requests are served.
    pub fn serves(self) -> bool {
        self == Self::Up
    }

    /// The word used in files and on screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Booting => "booting",
            Self::Absent => "absent",
        }
    }
}
