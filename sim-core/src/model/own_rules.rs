//! By which rules a balancer instance sends to its own servers.

use super::{ClassId, ClientId};

/// Rules of an instance itself: those of most requests, and those of classes that have others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnRules {
    /// How it behaves towards its servers.
    pub client: ClientId,
    /// How it does for requests of some classes, in their order; its callers follow `client`, one after the
    /// other.
    pub by_class: Vec<ClassRules>,
}

/// Rules of an instance for requests of one class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClassRules {
    /// The class.
    pub class: ClassId,
    /// How it behaves towards its servers.
    pub client: ClientId,
    /// Whether its tries pass guards of their own, and not those of all others.
    pub own_guards: bool,
}

impl OwnRules {
    /// How it behaves for a request of a class.
    pub fn of(&self, class: ClassId) -> ClientId {
        let found = self.by_class.binary_search_by_key(&class, |own| own.class);
        found.map_or(self.client, |at| self.by_class[at].client)
    }

    /// Whether a caller is the instance itself.
    pub fn holds(&self, client: ClientId) -> bool {
        let last = self.by_class.last().map_or(self.client, |own| own.client);
        (self.client..=last).contains(&client)
    }

    /// Its callers, with the class where it is of one.
    pub fn clients(&self) -> impl Iterator<Item = (ClientId, Option<ClassId>)> + '_ {
        let by_class = self
            .by_class
            .iter()
            .map(|own| (own.client, Some(own.class)));
        std::iter::once((self.client, None)).chain(by_class)
    }
}
