//! What scripts say, do, and are refused for.

use super::super::fixture::{Fleet, build};
use super::*;
use crate::extension::{ParamValue, Params};
use std::fmt::Write as _;

/// A policy of this text, for six servers.
fn scripted(code: &str, parameters: &[f64]) -> Scripted {
    let program = compile::compile(code).unwrap_or_else(|mistake| panic!("{code}: {mistake:?}"));
    let mut policy = Scripted::new(program, parameters.into());
    policy.place_servers(6, &|i| Stream::new(1, 0, &format!("ring/{i}")));
    policy
}

fn fleet() -> Fleet {
    Fleet {
        eligible: vec![1, 2, 4, 5],
        in_flight: vec![0, 9, 3, 0, 2, 7],
        weights: vec![1.0, 2.0, 1.0, 1.0, 0.5, 1.0],
        ..Fleet::of(6)
    }
}

fn pick(policy: &mut Scripted, number: u64) -> Option<usize> {
    let job = Job {
        key: 7,
        ..Job::default()
    };
    let draws = &mut Stream::new(1, 0, "p").at(number);
    policy.pick(&fleet().view(), &job, draws)
}

/// What a script says that picks the server of this number.
fn answer(body: &str) -> Option<usize> {
    let mut policy = scripted(&format!("fn pick() {{ {body} }}"), &[4.0, 2.5]);
    let picked = pick(&mut policy, 0);
    assert_eq!(policy.failure(), None, "{body}");
    picked
}

/// Why a script cannot go on.
fn failure(code: &str) -> String {
    let mut policy = scripted(code, &[]);
    assert_eq!(pick(&mut policy, 0), None, "{code}");
    let why = policy.failure().map(str::to_owned);
    why.unwrap_or_else(|| panic!("nothing failed: {code}"))
}

/// What is wrong with a script, and the text that it is about.
fn mistake(code: &str) -> (String, &str) {
    match compile::compile(code) {
        Ok(_) => panic!("nothing is wrong with {}", &code[..code.len().min(200)]),
        Err(mistake) => (mistake.what, &code[mistake.place]),
    }
}

#[test]
fn it_reckons_compares_and_decides() {
    for (body, server) in [
        ("return 1 + 3 * (2 - 1);", Some(4)),
        ("return 17 % 6;", Some(5)),
        ("return -(-4);", Some(4)),
        ("return floor(5 / 2);", Some(2)),
        ("return none;", None),
        ("if 1 < 2 && !(2 < 1) { return 1; } return 2;", Some(1)),
        ("if 1 > 2 || 2 >= 2 { return 1; } return 2;", Some(1)),
        (
            "if 1 == 2 { return 1; } else if 1 != 1 { return 2; } else { return 4; }",
            Some(4),
        ),
        ("let x = true; if x { return 5; } return 1;", Some(5)),
        (
            "let x = 1 <= 0; if x == false { return 5; } return 1;",
            Some(5),
        ),
        ("let x = 0; while x < 4 { x += 1; } return x;", Some(4)),
        (
            "let x = 0; for i in 0..10 { if i == 2 { continue; } if i > 3 { break; } x += i; } return x;",
            Some(4),
        ),
        (
            "let last = 0; for s in eligible { last = s; } return last;",
            Some(5),
        ),
        ("return eligible(count() - 1);", Some(5)),
        ("return parameter(0);", Some(4)),
        ("return least_in_flight();", Some(4)),
        ("return max(min(4, 5), 2);", Some(4)),
        (
            "if key() == 7 && previous() == none && priority() == 0 { return 1; } return 2;",
            Some(1),
        ),
        (
            "if may_pick(3) { return 3; } return servers() - 1;",
            Some(5),
        ),
        (
            "if 1ms == 0.001 && 2m == 120 { return 1; } return 2;",
            Some(1),
        ),
        (
            "let x = 1; if true { let x = 4; x = 5; } return x;",
            Some(1),
        ),
    ] {
        assert_eq!(answer(body), server, "{body}");
    }
}

#[test]
fn functions_are_put_in_place_and_keep_the_order_of_what_happens() {
    let code = "
        let seen = 0;
        fn bump(by) { seen += by; return seen; }
        fn note() { if seen > 100 { return; } seen = seen + 1; }
        fn pick() {
            note();
            // 1, and then 1 + 2: what stands before a call is read before it.
            let sum = seen + bump(2);
            return sum;
        }";
    let mut policy = scripted(code, &[]);
    assert_eq!(pick(&mut policy, 0), Some(4));
    // The same of what is added to.
    let added = code
        .replace(
            "let sum = seen + bump(2);",
            "seen += bump(2); let sum = seen;",
        )
        .replace("let seen = 0;", "let seen = 0; let l = each(0);");
    assert_eq!(pick(&mut scripted(&added, &[]), 0), Some(4));
    let member = added.replace(
        "seen += bump(2); let sum = seen;",
        "l[1] = seen; fill(); let sum = l[1];",
    );
    let fill = "fn twice() { l[1] = 9; return 3; } fn fill() { l[1] += twice(); } fn pick";
    let member = member
        .replace("fn pick", fill)
        .replace("fn bump(by) { seen += by; return seen; }", "");
    assert_eq!(pick(&mut scripted(&member, &[]), 0), Some(4));
    // What a script keeps, it keeps: 4, and then 4 + 2, of which none may be picked.
    assert_eq!(pick(&mut policy, 1), None);
    let why = policy.failure().expect("ten is no server");
    assert!(why.contains("line 9 of the script: 10 was picked"), "{why}");
}

#[test]
fn lists_have_a_member_for_each_server_or_as_many_as_asked_for() {
    let code = "
        let busy = each(2);
        let own = list(3, 0.5);
        fn pick() {
            own[2] += 1;
            busy[5] = own[2] * 2;
            let sum = 0;
            for i in 0..servers() { sum += busy[i]; }
            // 5 · 2 and 3, and two halves.
            return sum - 10 + own[0] + own[1];
        }";
    assert_eq!(pick(&mut scripted(code, &[]), 0), Some(4));
}

#[test]
fn what_cannot_go_on_says_why_and_in_which_line() {
    for (code, why) in [
        (
            "let x = each(0);\nfn pick() {\nreturn x[6];\n}",
            "line 3 of the script: 6 is no place in the list; 0 to 5 are",
        ),
        (
            "let x = each(0);\nfn pick() { x[0.5] = 1; return 1; }",
            "line 2 of the script: 0.5 is no place in the list",
        ),
        (
            "fn pick() { return in_flight(6); }",
            "6 is no server; 0 to 5 are",
        ),
        ("fn pick() { return weight(-1); }", "-1 is no server"),
        ("fn pick() { return weight(0 / 0); }", "NaN is no server"),
        (
            "fn pick() { return eligible(4); }",
            "4 is no place among servers that may be picked; 0 to 3 are",
        ),
        (
            "fn pick() { return parameter(0); }",
            "0 is no place in `parameters`; there are none",
        ),
        (
            "fn pick() { return below(0); }",
            "`below` wants a whole number from 1, not 0",
        ),
        (
            "fn pick() { while true { } return 1; }",
            "more than 1000000 steps, without an end",
        ),
        (
            "fn pick() { return 3; }",
            "3 was picked, which is no server that may be picked now",
        ),
        ("fn pick() { return 1.5; }", "1.5 was picked"),
        (
            "let x = list(2000000, 0);\nfn pick() { return 1; }",
            "line 1 of the script: a list of 2000000 members; all lists together have at most 100000",
        ),
    ] {
        let told = failure(code);
        assert!(told.contains(why), "{code}\n{told}");
    }
}

#[test]
fn a_failure_stays() {
    let mut policy = scripted("fn pick() { return below(0); }", &[]);
    for number in 0..3 {
        assert_eq!(pick(&mut policy, number), None);
        assert!(policy.clone_box().failure().is_some());
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of what is refused")]
fn mistakes_are_told_where_they_stand() {
    for (code, what, place) in [
        ("", "there is no `fn pick()`", ""),
        ("fn pick() { return x; }", "`x` is not known here", "x"),
        (
            "let seen = 0; fn pick() { return sene; }",
            "did you mean `seen`?",
            "sene",
        ),
        (
            "fn pick() { return anny(); }",
            "there is no function `anny`; did you mean `any`?",
            "anny()",
        ),
        (
            "fn pick() { return any; }",
            "`any` is a function: write `any(…)`",
            "any",
        ),
        (
            "fn pick() { return weight(); }",
            "it is called as `weight(server)`",
            "weight()",
        ),
        ("fn pick() { }", "it can end without an answer", "pick"),
        (
            "fn pick() { if 1 == 1 { return 1; } }",
            "it can end without an answer",
            "pick",
        ),
        (
            "fn pick() { return true; }",
            "it answers with true or false, not a server",
            "pick",
        ),
        ("fn pick() { return; }", "it answers", "pick"),
        (
            "fn pick(x) { return 1; }",
            "it is called as `pick()`",
            "pick",
        ),
        (
            "fn pick() { if 1 { } return 1; }",
            "a number is no condition",
            "1",
        ),
        (
            "fn pick() { return 1 + (1 < 2); }",
            "this is true or false; a number is wanted",
            "(1 < 2)",
        ),
        (
            "fn pick() { return 1 < 2 < 3; }",
            "comparisons do not stand in a row",
            "<",
        ),
        (
            "fn pick() { return any() }",
            "`;` is wanted here, not `}`",
            "}",
        ),
        (
            "fn pick() { break; return 1; }",
            "there is no loop around this",
            "break",
        ),
        (
            "fn pick() { any(); return 1; }",
            "its answer is not used",
            "any()",
        ),
        (
            "fn pick() { any() = 2; return 1; }",
            "only names and members of lists",
            "any()",
        ),
        (
            "fn pick() { return other(); } fn other() { return 1; }",
            "can be called below its own end only",
            "other()",
        ),
        (
            "fn pick() { return pick(); }",
            "can be called below its own end only",
            "pick()",
        ),
        (
            "fn idle() { return 1; } fn pick() { return 1; }",
            "nobody calls `idle`",
            "idle",
        ),
        (
            "fn any() { return 1; } fn pick() { return 1; }",
            "is a function of the language",
            "any",
        ),
        (
            "fn pick() { return 1; } fn pick() { return 1; }",
            "two functions `pick`",
            "pick",
        ),
        (
            "let a = 1; let a = 2; fn pick() { return 1; }",
            "two `a`",
            "a",
        ),
        (
            "let a = any(); fn pick() { return 1; }",
            "`any` is known in `pick` only",
            "any()",
        ),
        (
            "fn changed() { let x = random(); } fn pick() { return 1; }",
            "`random` is known in `pick` only",
            "random()",
        ),
        (
            "fn assigned(s, n) { for e in eligible { } } fn pick() { return 1; }",
            "known in `pick` and `changed` only",
            "e",
        ),
        (
            "fn changed() { return 3; } fn pick() { return 1; }",
            "nobody wants an answer",
            "changed",
        ),
        (
            "let a = each(0); fn pick() { return a; }",
            "`a` is a list: write `a[…]`",
            "a",
        ),
        (
            "fn pick() { let a = each(0); return 1; }",
            "where its `let` stands outside functions",
            "each(0)",
        ),
        (
            "fn pick() { let while = 1; return 1; }",
            "a name is wanted here, not `while`",
            "while",
        ),
        ("pick", "`let` or `fn` is wanted here, not `pick`", "pick"),
        (
            "fn f() { } fn pick() { return f(); }",
            "`f` gives no answer",
            "f()",
        ),
        (
            "fn f(x) { if x > 1 { return 1; } return true; } fn pick() { return f(2); }",
            "true or false here, and a number before",
            "return",
        ),
    ] {
        let (told, about) = mistake(code);
        assert!(told.contains(what), "{code}\n{told}");
        assert_eq!(about, place, "{code}");
    }
}

#[test]
fn no_text_is_too_deep_too_long_or_too_much() {
    let deep = format!(
        "fn pick() {{ return {}1{}; }}",
        "(".repeat(3000),
        ")".repeat(3000)
    );
    assert!(mistake(&deep).0.contains("within each other"));
    let deep = format!("fn pick() {{ return {}1; }}", "-".repeat(3000));
    assert!(mistake(&deep).0.contains("within each other"));
    let deep = format!("fn pick() {{ {} }}", "if 1 == 1 { ".repeat(3000));
    assert!(mistake(&deep).0.contains("within each other"));
    let deep = format!(
        "fn pick() {{ if 1 == 1 {{ }} {} {{ return 1; }} }}",
        "else if 1 == 1 { }".repeat(3000)
    );
    assert!(mistake(&deep).0.contains("within each other"));
    let wide = format!("fn pick() {{ return 1{}; }}", " + 1".repeat(3000));
    assert!(mistake(&wide).0.contains("terms in a row"));
    // Each calls the one before twice.
    let mut code = "fn f0() { }".to_owned();
    for i in 1..40 {
        let _ = write!(code, " fn f{i}() {{ f{}(); f{}(); }}", i - 1, i - 1);
    }
    code += " fn pick() { f39(); return 1; }";
    assert!(mistake(&code).0.contains("too long"));
    // Each function calls the one before once, and each row of terms is another's first term.
    let mut code = "fn f0() { }".to_owned();
    for i in 1..2000 {
        let _ = write!(code, " fn f{i}() {{ f{}(); }}", i - 1);
    }
    code += " fn pick() { f1999(); return 1; }";
    assert!(mistake(&code).0.contains("call each other in a row"));
    let (open, close) = ("(".repeat(20), format!("){}", " * 1".repeat(60)).repeat(20));
    let deep = format!("fn pick() {{ return {open}1{close}; }}");
    assert!(
        mistake(&deep)
            .0
            .contains("more than 256 of these within each other")
    );
    // Put in place 700 times, a hundred steps are too many.
    let code = format!(
        "let x = 0; fn f() {{ {} }} fn pick() {{ {} return 1; }}",
        "x += 1; ".repeat(100),
        "f(); ".repeat(700)
    );
    assert!(mistake(&code).0.contains("too long"));
    let long = " ".repeat(1 << 19);
    assert!(
        compile::compile(&long)
            .expect_err("long")
            .what
            .contains("at most 65536")
    );
}

/// The power of two choices, as the program's own.
const LESS_OF_TWO: &str = include_str!("../../../tests/less-of-two.policy");

#[test]
fn it_picks_what_the_policies_that_it_imitates_pick() {
    let turns = "
        let last = none;
        fn pick() {
            for s in eligible { if s > last { last = s; return s; } }
            last = eligible(0);
            return last;
        }";
    for (code, own) in [
        ("fn pick() { return any(); }", "random"),
        (LESS_OF_TWO, "power-of-d"),
        (turns, "round-robin"),
    ] {
        let mut policy = scripted(code, &[]);
        let mut own = build(own);
        let fleet = fleet();
        own.on_fleet_changed(&fleet.view());
        policy.on_fleet_changed(&fleet.view());
        for number in 0..500 {
            let draws = &mut Stream::new(1, 0, "p").at(number);
            let wanted = own.pick(&fleet.view(), &Job::default(), draws);
            assert_eq!(pick(&mut policy, number), wanted, "{code}");
        }
    }
}

#[test]
fn it_hears_what_happens() {
    let code = "
        let least = 99; let where = 0; let news = 0; let took_all = 0; let bad = 0;
        fn changed() { news += 1; }
        fn assigned(server, in_flight) { if in_flight < least { least = in_flight; where = server; } }
        fn finished(server, in_flight, took, ok) { took_all += took; if !ok { bad += 1; } }
        fn pick() { if news == 1 && took_all == 0.5 && bad == 1 && now() == 0 { return where; } return none; }";
    let mut policy = scripted(code, &[]);
    assert!(policy.observes());
    policy.on_fleet_changed(&fleet().view());
    policy.on_assigned(1, 4);
    policy.on_assigned(4, 2);
    policy.on_assigned(2, 3);
    for (outcome, ms) in [(Outcome::Succeeded, 200), (Outcome::TimedOut, 300)] {
        policy.on_finished(Instant::ZERO, 4, 1, outcome, Duration::from_millis(ms));
    }
    assert_eq!(pick(&mut policy, 0), Some(4));
}

#[test]
fn the_row_makes_one() {
    let params = Params::new(vec![
        (
            "code",
            ParamValue::Text("fn pick() { return parameter(1); }".into()),
        ),
        ("parameters", ParamValue::Numbers([1.0, 5.0].into())),
    ]);
    let mut policy = (POLICY.build)(&params);
    policy.place_servers(6, &|_| Stream::new(1, 0, "ring"));
    let draws = &mut Stream::new(1, 0, "p").at(0);
    assert_eq!(
        policy.pick(&fleet().view(), &Job::default(), draws),
        Some(5)
    );
}

proptest::proptest! {
    /// Whatever is written: it is read or refused, and what is read ends.
    #[test]
    fn any_words_are_read_or_refused(words in proptest::collection::vec(0..WORDS.len(), 0..60)) {
        let text: Vec<&str> = words.iter().map(|word| WORDS[*word]).collect();
        for code in [text.join(" "), format!("let l = each(1); let x = 0; fn pick() {{ {} return any(); }}", text.join(" "))] {
            if let Ok(program) = compile::compile(&code) {
                let mut policy = Scripted::new(program, [1.0].into());
                policy.place_servers(6, &|_| Stream::new(1, 0, "ring"));
                for number in 0..3 {
                    if let Some(server) = pick(&mut policy, number) {
                        assert!([1, 2, 4, 5].contains(&server));
                    }
                }
            }
        }
    }
}

/// What random scripts are made of.
const WORDS: &[&str] = &[
    "let",
    "x",
    "y",
    "=",
    ";",
    "x = x + 1;",
    "x += 1;",
    "let y = 2;",
    "if",
    "x < 3",
    "{",
    "}",
    "else",
    "while x < 9 {",
    "for i in 0..3 {",
    "for s in eligible {",
    "return",
    "any()",
    "l[0]",
    "l[x] = 1;",
    "in_flight(x)",
    "(",
    ")",
    "&&",
    "!",
    "-",
    "break;",
    "continue;",
    "return any();",
    "none",
    "1.5",
    "==",
    "fn",
    "f",
    "()",
    "count()",
    "eligible",
];
