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
    build: |_, _| Box::new(FirstBackup { any: false }),
    ..PLAIN
};

#[derive(Clone, Debug)]
struct FirstBackup {
    /// Whether there are backups at all.
    any: bool,
}

impl HealthRule for FirstBackup {
    fn adopt(&mut self, _: &Params) {}

    fn judge(&mut self, _: Instant, standing: &mut Standing, _: &mut Vec<News>) {
        let backups = standing
            .servers
            .iter_mut()
            .filter(|server| server.level > 0);
        self.any = false;
        let mut taken = false;
        for backup in backups {
            self.any = true;
            backup.open &= !taken;
            taken |= backup.open;
        }
    }

    fn judge_one(
        &mut self,
        _: Instant,
        _: usize,
        candidate: &mut Candidate,
        _: &mut Vec<News>,
    ) -> bool {
        // Where one steps in, another may step back.
        !self.any && candidate.level == 0
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
        assert!(!rule.judge_one(Instant::ZERO, 0, &mut servers[0].clone(), &mut Vec::new()));
        servers[1].open = false;
        assert_eq!(open(&judge(&mut rule, 0, servers).0), [0, 2]);
        let mut plain = candidates(2);
        assert_eq!(open(&judge(&mut rule, 0, plain.clone()).0), [0, 1]);
        assert!(rule.judge_one(Instant::ZERO, 0, &mut plain[0], &mut Vec::new()));
    }
}
