//! One backup at a time: of those that may step in, the first in order has all the work.

use super::{Candidate, HealthDef, HealthRule, News, PLAIN, Standing};
use crate::extension::{ExtensionRow, Params};
use crate::time::Instant;

pub(super) static RULE: HealthDef = HealthDef {
    row: ExtensionRow {
        name: "first-backup",
        about: "Of the backups that may be picked, only the first in order is: one steps in after the other, and never two.",
        source: "HAProxy 2.6 to 3.4, server option backup without option allbackups",
        params: &[],
    },
    build: |_, servers| {
        Box::new(FirstBackup {
            backups: vec![None; servers],
            taken: None,
        })
    },
    ..PLAIN
};

#[derive(Clone, Debug)]
struct FirstBackup {
    /// Of each backup whether the rules before left it open; nothing of the others.
    backups: Vec<Option<bool>>,
    /// The one that has all the work.
    taken: Option<usize>,
}

impl HealthRule for FirstBackup {
    fn adopt(&mut self, _: &Params) {}

    fn judge(&mut self, _: Instant, standing: &mut Standing, _: &mut Vec<News>) {
        self.taken = None;
        for (server, candidate) in standing.servers.iter_mut().enumerate() {
            let open = (candidate.level > 0).then_some(candidate.open);
            self.backups[server] = open;
            if open.is_some() {
                candidate.open &= self.taken.is_none();
                if candidate.open {
                    self.taken = Some(server);
                }
            }
        }
    }

    fn judge_one(
        &mut self,
        _: Instant,
        server: usize,
        candidate: &mut Candidate,
        _: &mut Vec<News>,
    ) -> bool {
        let open = (candidate.level > 0).then_some(candidate.open);
        let is_taken = self.taken == Some(server);
        // Where one steps in, another may step back: who has the work goes, or one before it comes.
        let as_before = match (self.backups[server], open) {
            (None, None) => true,
            (Some(_), Some(open)) => open == is_taken || self.taken.is_some_and(|t| t < server),
            _ => false,
        };
        if as_before {
            self.backups[server] = open;
            candidate.open &= open.is_none() || is_taken;
        }
        as_before
    }

    fn clone_box(&self) -> Box<dyn HealthRule> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{candidates, judge, open, rule};
    use super::*;

    #[test]
    fn one_backup_steps_in_after_the_other() {
        let mut rule = rule(&RULE, 4, &[]);
        let mut servers = candidates(4);
        for backup in &mut servers[1..] {
            backup.level = 1;
        }
        assert_eq!(open(&judge(&mut rule, 0, servers.clone()).0), [0, 1]);
        let mut alone = |server: usize, open| {
            let mut candidate = Candidate {
                open,
                ..servers[server]
            };
            let alone = rule.judge_one(Instant::ZERO, server, &mut candidate, &mut Vec::new());
            alone.then_some(candidate.open)
        };
        // Who is no backup concerns no backup, and of the backups only who has the work and those before it.
        assert_eq!([alone(0, true), alone(0, false)], [Some(true), Some(false)]);
        assert_eq!([alone(1, true), alone(1, false)], [Some(true), None]);
        assert_eq!([alone(2, true), alone(3, false)], [Some(false); 2]);
        servers[1].open = false;
        assert_eq!(open(&judge(&mut rule, 0, servers.clone()).0), [0, 2]);
        let comes = &mut Candidate {
            open: true,
            ..servers[1]
        };
        assert!(!rule.judge_one(Instant::ZERO, 1, comes, &mut Vec::new()));
        let mut plain = candidates(2);
        assert_eq!(open(&judge(&mut rule, 0, plain.clone()).0), [0, 1]);
        assert!(rule.judge_one(Instant::ZERO, 0, &mut plain[0], &mut Vec::new()));
    }
}
