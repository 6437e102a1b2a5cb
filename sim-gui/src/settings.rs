//! What is kept from one start to the next: looks and layout, never a scenario.

use crate::panel::{PANELS, PanelDef, Place};
use serde::{Deserialize, Serialize};

/// Light or dark.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Looks {
    /// As the system has it.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// Settings and layout.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Light or dark.
    pub looks: Looks,
    /// Whether things may move by themselves.
    pub reduced_motion: bool,
    /// Panels that are open, by name.
    pub open: Vec<String>,
    /// Plots shown, by name, from top to bottom.
    pub plots: Vec<String>,
    /// Whether two branches are drawn one above the other in the topology.
    pub split: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect();
        Self {
            looks: Looks::System,
            reduced_motion: false,
            open: list(&["event_log", "topology", "plots", "inspector", "timeline"]),
            plots: list(&["servers", "response-time", "outcomes"]),
            split: true,
        }
    }
}

impl Settings {
    /// Whether a panel is open.
    pub fn is_open(&self, panel: &str) -> bool {
        self.open.iter().any(|name| name == panel)
    }

    /// Opens a panel; of those that show one at a time, it becomes the one.
    pub fn show(&mut self, panel: Option<&PanelDef>) {
        if let Some(panel) = panel {
            self.open.retain(|name| name != panel.name);
            self.open.push(panel.name.to_owned());
            self.close_others(panel);
        }
    }

    /// Opens a panel, or closes it where others do not need its place.
    pub fn show_or_hide(&mut self, panel: Option<&PanelDef>) {
        let Some(panel) = panel else {
            return;
        };
        if self.is_open(panel.name) && panel.place != Place::Middle {
            self.open.retain(|name| name != panel.name);
        } else {
            self.show(Some(panel));
        }
    }

    fn close_others(&mut self, panel: &PanelDef) {
        if matches!(panel.place, Place::Middle | Place::RightBelow) {
            let others = PANELS
                .iter()
                .filter(|p| p.place == panel.place && p.name != panel.name);
            let others: Vec<&str> = others.map(|p| p.name).collect();
            self.open.retain(|name| !others.contains(&name.as_str()));
        }
    }

    /// Shows a plot, or not.
    pub fn toggle_plot(&mut self, plot: &str) {
        if self.plots.iter().any(|name| name == plot) {
            self.plots.retain(|name| name != plot);
        } else {
            self.plots.push(plot.to_owned());
        }
    }

    /// Reads what [`Settings::to_text`] wrote; what cannot be read is as at the first start.
    pub fn from_text(text: &str) -> Self {
        toml::from_str(text).unwrap_or_default()
    }

    /// As text to keep.
    pub fn to_text(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back() {
        let mut settings = Settings {
            looks: Looks::Dark,
            reduced_motion: true,
            ..Settings::default()
        };
        settings.show_or_hide(crate::panel::find("plots"));
        assert_eq!(Settings::from_text(&settings.to_text()), settings);
        assert_eq!(Settings::from_text("looks = 7"), Settings::default());
        assert!(!settings.is_open("plots") && settings.is_open("event_log"));
    }
}
