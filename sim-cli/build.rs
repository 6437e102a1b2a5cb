//! Embeds the models, so that `stampede run incident` works anywhere.

#[path = "../models/embed.rs"]
mod embed;

fn main() -> std::io::Result<()> {
    embed::embed(std::path::Path::new("../models"))
}
