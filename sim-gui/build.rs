//! Embeds the models, so that the gallery is there wherever the program runs.

#[path = "../models/embed.rs"]
mod embed;

fn main() -> std::io::Result<()> {
    embed::embed(std::path::Path::new("../models"))
}
