use proptest::prelude::*;

use super::*;

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

fn table() -> Table {
    Table {
        rooms: vec!["board".into(), "tone".into()],
        echo: Some("echo".into()),
        tone: Some("tone".into()),
        ad_hoc: vec![pattern("1000-1999"), pattern("room-*")],
    }
}

fn dial(user: &str) -> Decision {
    decide(&Request { user, host: "tandem.example", from_user: "alice" }, &table())
}

fn room(name: &str, by: Match) -> Decision {
    Decision::Room { name: name.into(), by }
}

fn is_404(decision: &Decision) -> bool {
    matches!(decision, Decision::Reject(fault) if fault.status == 404)
}

#[test]
fn configured_rooms_come_before_services_and_patterns() {
    assert_eq!(dial("board"), room("board", Match::Configured));
    assert_eq!(dial("tone"), room("tone", Match::Configured));
    assert_eq!(dial("echo"), Decision::Echo);
    let tone = Request { user: "tone", host: "h", from_user: "" };
    assert_eq!(decide(&tone, &Table { rooms: vec![], ..table() }), Decision::Tone);
    assert!(is_404(&decide(&tone, &Table::default())), "a service that is off answers to no name");
}

#[test]
fn ad_hoc_patterns_open_rooms() {
    assert_eq!(dial("1000"), room("1000", Match::AdHoc(pattern("1000-1999"))));
    assert_eq!(dial("room-%C3%A9t%C3%A9"), room("room-été", Match::AdHoc(pattern("room-*"))));
}

#[test]
fn what_fits_nothing_is_not_found() {
    for user in ["", "999", "2000", "01000", "Board", "ECHO", "nobody", "room-%2", "room-%zz", "room-%ff"] {
        assert!(is_404(&dial(user)), "{user:?} gave {}", dial(user));
    }
    assert!(is_404(&dial(&"1".repeat(100_000))));
}

#[test]
fn room_names_are_bounded_visible_and_no_paths() {
    assert!(is_404(&dial(&format!("room-{}", "x".repeat(60)))));
    for user in ["room-%2Fetc", "room-%5Cx", "room-%00", "room-%20x", "room-%E2%80%AEx"] {
        assert!(is_404(&dial(user)), "{user:?} gave {}", dial(user));
    }
    assert_eq!(check_room_name(&"é".repeat(64)), Ok(()));
    assert_eq!(check_room_name(""), Err(RoomNameError::Empty));
    assert_eq!(check_room_name(".."), Err(RoomNameError::Path));
    assert_eq!(check_room_name("a b"), Err(RoomNameError::Invisible(' ')));
}

#[test]
fn decisions_say_why() {
    assert_eq!(dial("1234").to_string(), "room 1234: it fits the ad hoc pattern 1000-1999");
    assert_eq!(dial("board").to_string(), "room board: it is configured");
}

#[test]
fn globs_fit_the_whole_text() {
    let fits = |p: &str, text: &str| pattern(p).matches(text);
    assert!(fits("*", "") && fits("*", "anything"));
    assert!(fits("a*c", "abbbc") && !fits("a*c", "abbbcd"));
    assert!(fits("?x?", "axé") && !fits("?x?", "ax"));
    assert!(fits("[0-9][abc]", "7b") && !fits("[0-9][abc]", "7d"));
    assert!(fits("[!0-9]*", "x1") && !fits("[!0-9]*", "1x"));
    assert!(fits("555[-]1234", "555-1234") && fits("[a-]", "-") && fits("[-a]", "-"));
    assert!(fits("1-x", "1-x") && fits("1-2-3", "1-2-3"));
    assert!(fits("*ab*ab", "abxabab") && !fits("*ab*abc", "abxabab"));
}

#[test]
fn ranges_are_inclusive_and_of_one_length() {
    let range = pattern("0900-1100");
    assert!(range.matches("0900") && range.matches("1000") && range.matches("1100"));
    assert!(
        !range.matches("0899") && !range.matches("1101") && !range.matches("900") && !range.matches("0a00")
    );
    let long = "9".repeat(60);
    assert!(pattern(&format!("{}-{long}", "1".repeat(60))).matches(&"5".repeat(60)));
}

#[test]
fn wrong_patterns_say_what_would_be_right() {
    let error = |text: &str| text.parse::<Pattern>().unwrap_err();
    assert_eq!(error(""), PatternError::Empty);
    assert_eq!(error("1-1999"), PatternError::UnequalLengths);
    assert_eq!(error("1999-1000").to_string(), "a number range runs upwards: write 1000-1999");
    assert_eq!(error("ab[c"), PatternError::Unclosed { at: 3 });
    assert_eq!(error("abc]"), PatternError::Unopened { at: 4 });
    assert_eq!(error("a[]"), PatternError::EmptyClass { at: 2 });
    assert_eq!(error("a[!]"), PatternError::EmptyClass { at: 2 });
    assert_eq!(error("[z-a]"), PatternError::BackwardsClass { at: 1, first: 'z', last: 'a' });
    assert_eq!(error(&"x".repeat(129)), PatternError::TooLong);
}

/// The definition itself, exponential: the measure for the real one on short texts.
fn by_definition(tokens: &[char], text: &[char]) -> bool {
    match (tokens, text) {
        ([], []) => true,
        (['*', rest @ ..], _) => (0..=text.len()).any(|n| by_definition(rest, &text[n..])),
        (['?', rest @ ..], [_, more @ ..]) => by_definition(rest, more),
        ([c, rest @ ..], [d, more @ ..]) => c == d && by_definition(rest, more),
        _ => false,
    }
}

proptest! {
    #[test]
    fn globs_match_by_their_definition(glob in "[ab*?]{1,7}", text in "[ab]{0,8}") {
        let (tokens, chars): (Vec<_>, Vec<_>) = (glob.chars().collect(), text.chars().collect());
        prop_assert_eq!(pattern(&glob).matches(&text), by_definition(&tokens, &chars));
    }

    #[test]
    fn ranges_agree_with_numbers(a in 0u32..10_000, b in 0u32..10_000, n in 0u32..10_000) {
        let (low, high) = (a.min(b), a.max(b));
        let range = pattern(&format!("{low:04}-{high:04}"));
        prop_assert_eq!(range.matches(&format!("{n:04}")), (low..=high).contains(&n));
    }

    #[test]
    fn any_text_parses_or_is_refused_and_reads_back(text in "\\PC{0,140}", user in "\\PC{0,80}") {
        if let Ok(parsed) = text.parse::<Pattern>() {
            prop_assert_eq!(parsed.as_str(), &text);
            prop_assert_eq!(pattern(parsed.as_str()).matches(&user), parsed.matches(&user));
        }
    }

    #[test]
    fn decisions_never_name_a_room_that_may_not_be(user in "[ -~]{0,80}") {
        let open = Table { ad_hoc: vec![pattern("*")], ..Table::default() };
        if let Decision::Room { name, .. } = decide(&Request { user: &user, host: "h", from_user: "" }, &open) {
            prop_assert_eq!(check_room_name(&name), Ok(()));
        }
    }
}

#[test]
fn runs_do_not_blow_up() {
    let hostile = pattern(&"*a".repeat(64));
    assert!(!hostile.matches(&format!("{}b", "a".repeat(1_000))));
    assert!(hostile.matches(&"a".repeat(1_000)));
}
