//! YAML, and JSON as part of it, as a tree in which every value knows its place.
//!
//! What stands for more than a machine can hold, as a few lines of aliases can, is refused.
//!
//! ```
//! use sim_yaml::{Keys, documents};
//!
//! let found = documents("a: [1, two]\n", Keys::Once, |line| line).expect("valid");
//! let a = found[0].get("a").expect("there");
//! assert_eq!((a.place, a.items()[1].text().as_deref()), (1, Some("two")));
//! ```

mod reader;
mod value;

pub use reader::{Keys, Wrong, documents, first};
pub use value::{Entry, Node, Value};
