//! Every answer of Meta's ends in a named outcome with a sentence for the agent.
//! What belongs here is one row for each row of the table of errors, and answers of no known form.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use common::*;
use instagram_channel::outcome;
use instagram_channel::types::FailureCategory::*;
use instagram_channel::types::*;

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> HttpResponse {
    let header = |(name, value): &(&str, &str)| Header { name: (*name).into(), value: (*value).into() };
    HttpResponse { status, headers: headers.iter().map(header).collect(), body: body.into() }
}

fn message_step() -> SentStep {
    SentStep::from(&steps(&message(vec![text("hi")]), &context()).remove(0))
}

fn action_step() -> SentStep {
    SentStep::from(&steps(&message(vec![OutboundPart::Typing(true)]), &context()).remove(0))
}

fn upload_step() -> SentStep {
    let image = OutboundMedia { name: Some("a.png".into()), ..media(MediaKind::Image, file(5)) };
    SentStep::from(&steps(&message(vec![OutboundPart::Media(vec![image])]), &context()).remove(0))
}

/// The name of the result and the failure in it.
fn read(outcome: SendOutcome) -> (&'static str, Failure) {
    match outcome.verdict {
        SendResult::Sent(receipt) => panic!("{receipt:?}"),
        SendResult::RateLimited(failure) => ("limited", failure),
        SendResult::Transient(failure) => ("transient", failure),
        SendResult::Ambiguous(failure) => ("ambiguous", failure),
        SendResult::Rejected(failure) => ("rejected", failure),
        SendResult::Unauthorized(failure) => ("unauthorized", failure),
        SendResult::Rebuild(failure) => ("rebuild", failure),
    }
}

fn refused(code: u32, subcode: u32) -> (&'static str, Failure) {
    let subcode = if subcode == 0 { String::new() } else { format!(r#","error_subcode":{subcode}"#) };
    let body = format!(
        r#"{{"error":{{"message":"Algo deu errado","type":"IGApiException","code":{code}{subcode},"fbtrace_id":"Atrace"}}}}"#
    );
    read(outcome(&message_step(), &response(400, &[], &body)))
}

#[test]
fn every_row_of_the_table_of_errors_has_its_outcome() {
    for (code, subcode, result, category) in [
        (1, 0, "ambiguous", Ambiguous),
        (1, 99, "ambiguous", Ambiguous),
        (1, 1357046, "ambiguous", Ambiguous),
        (2, 0, "ambiguous", Ambiguous),
        (2, 1545133, "ambiguous", Ambiguous),
        (1200, 0, "transient", PlatformTransient),
        (1200, 2018024, "transient", PlatformTransient),
        (194, 0, "rejected", ContentInvalid),
        (546, 0, "rejected", ContentInvalid),
        (3, 0, "rejected", PermissionMissing),
        (4, 0, "limited", RateLimited),
        (4, 1349210, "limited", RateLimited),
        (4, 1349211, "limited", RateLimited),
        (4, 1349212, "limited", RateLimited),
        (17, 0, "limited", RateLimited),
        (32, 0, "limited", RateLimited),
        (341, 0, "limited", RateLimited),
        (80001, 0, "limited", RateLimited),
        (80002, 0, "limited", RateLimited),
        (80006, 0, "limited", RateLimited),
        (613, 0, "limited", RateLimited),
        (613, 2534040, "limited", RateLimited),
        (613, 2018338, "rejected", AccountRestricted),
        (613, 1893016, "rejected", ContentInvalid),
        (9, 2018352, "limited", RateLimited),
        (10, 2534022, "rejected", WindowClosed),
        (10, 2018278, "rejected", WindowClosed),
        (10, 2018065, "rejected", WindowClosed),
        (10, 2018108, "rejected", RecipientUnavailable),
        (10, 2534077, "rejected", PermissionMissing),
        (10, 1893063, "rejected", AccountRestricted),
        (10, 0, "rejected", PermissionMissing),
        (100, 0, "rejected", ContentInvalid),
        (100, 33, "rejected", NotFound),
        (100, 2018001, "rejected", RecipientUnavailable),
        (100, 2018008, "rejected", MediaFetchFailed),
        (100, 2018047, "rejected", MediaFetchFailed),
        (100, 2018109, "rejected", ContentInvalid),
        (100, 2018294, "rejected", MediaFetchFailed),
        (100, 2018074, "rejected", MediaFetchFailed),
        (100, 2534013, "rejected", PermissionMissing),
        (100, 2534014, "rejected", RecipientUnavailable),
        (100, 2534015, "rejected", ContentInvalid),
        (100, 2534025, "rejected", ContentInvalid),
        (100, 2534029, "rejected", AccountRestricted),
        (100, 2534037, "rejected", ThreadOwnedElsewhere),
        (100, 2534068, "rejected", ContentInvalid),
        (2534068, 0, "rejected", ContentInvalid),
        (100, 2534001, "rejected", NotFound),
        (102, 0, "unauthorized", AuthExpired),
        (190, 0, "unauthorized", AuthExpired),
        (190, 458, "unauthorized", AuthExpired),
        (190, 459, "unauthorized", AuthExpired),
        (190, 460, "unauthorized", AuthExpired),
        (190, 463, "unauthorized", AuthExpired),
        (190, 464, "unauthorized", AuthExpired),
        (190, 467, "unauthorized", AuthExpired),
        (190, 492, "unauthorized", AuthExpired),
        (200, 0, "rejected", PermissionMissing),
        (200, 2018028, "rejected", AppMode),
        (200, 2534041, "rejected", PermissionMissing),
        (200, 1545041, "rejected", RecipientUnavailable),
        (551, 0, "rejected", RecipientUnavailable),
        (551, 1545041, "rejected", RecipientUnavailable),
        (230, 0, "rejected", PermissionMissing),
        (9010, 0, "rejected", NotFound),
        (803, 0, "rejected", NotFound),
        (2500, 0, "rejected", Internal),
        (368, 0, "rejected", AccountRestricted),
        (506, 0, "rejected", ContentInvalid),
        (2018300, 0, "rejected", ThreadOwnedElsewhere),
        (100, 2018171, "rejected", ThreadOwnedElsewhere),
        (2018171, 0, "rejected", ThreadOwnedElsewhere),
        (100, 2018300, "rejected", ThreadOwnedElsewhere),
        (100, 2018321, "rejected", ThreadOwnedElsewhere),
        (100, 2022, "rejected", AccountRestricted),
        (100, 36103, "rejected", PermissionMissing),
        (100, 9000001, "rejected", NotFound),
        (100, 2534013, "rejected", PermissionMissing),
        (2534001, 0, "rejected", NotFound),
        (102, 463, "unauthorized", AuthExpired),
        (2018321, 0, "rejected", ThreadOwnedElsewhere),
        (2022, 0, "rejected", AccountRestricted),
        (36103, 0, "rejected", PermissionMissing),
        (36000, 2207004, "rejected", ContentInvalid),
        (9000001, 0, "rejected", NotFound),
        (10900, 0, "rejected", ContentInvalid),
        (10903, 0, "rejected", RecipientUnavailable),
        (424242, 0, "rejected", Other),
    ] {
        let (found, failure) = refused(code, subcode);
        assert_eq!((found, failure.category), (result, category), "{code}/{subcode}");
        assert_eq!(failure.code, Some(code.to_string()));
        assert_eq!(failure.subcode, (subcode != 0).then(|| subcode.to_string()));
        assert_eq!(failure.trace_id.as_deref(), Some("Atrace"));
        assert!(failure.message.ends_with('.') && !failure.message.contains("Algo"));
        assert_eq!(
            result == "limited" || result == "transient",
            failure.retry_after.is_some() && result != "rejected",
            "{code}/{subcode}"
        );
    }
}

#[test]
fn a_code_without_a_row_is_tried_again_only_if_meta_calls_it_transient() {
    for (flag, result) in
        [("true", "transient"), ("\"true\"", "transient"), ("false", "rejected"), ("null", "rejected")]
    {
        let body = format!(r#"{{"error":{{"code":424242,"is_transient":{flag}}}}}"#);
        assert_eq!(read(outcome(&message_step(), &response(400, &[], &body))).0, result, "{flag}");
    }
    // A row knows better.
    let body = r#"{"error":{"code":10,"error_subcode":2534022,"is_transient":true}}"#;
    assert_eq!(read(outcome(&message_step(), &response(400, &[], body))).0, "rejected");
}

#[test]
fn a_fault_after_which_a_message_may_have_been_delivered_is_never_tried_again_by_itself() {
    let body = |code: u32, more: &str| format!(r#"{{"error":{{"message":"x","code":{code}{more}}}}}"#);
    for (status, body) in [
        (500, body(1, "")),
        (500, body(2, "")),
        (400, body(1, "")),
        (500, body(1, r#","error_subcode":99"#)),
        (503, body(2, r#","is_transient":true"#)),
        (500, body(424_242, "")),
        (503, body(424_242, r#","is_transient":true"#)),
        (502, r#"{"error":{"message":"a proxy's own form"}}"#.into()),
        (502, r#"{"error":"bad gateway"}"#.into()),
        (500, String::new()),
        (504, "<html>".into()),
        (408, String::new()),
        (200, "<html>".into()),
    ] {
        let answer = response(status, &[], &body);
        let (found, failure) = read(outcome(&message_step(), &answer));
        assert_eq!((found, failure.category), ("ambiguous", Ambiguous), "{status} {body}");
        assert!(failure.message.contains("may have been delivered"), "{status} {body}: {failure:?}");
        assert_eq!(failure.retry_after, None, "{status} {body}");
        assert_eq!(read(outcome(&upload_step(), &answer)).0, "transient", "{status} {body}");
    }
    // A code that says that nothing was done says so under any status.
    for (status, code, result) in [(500, 190, "unauthorized"), (503, 4, "limited"), (500, 551, "rejected")] {
        assert_eq!(read(outcome(&message_step(), &response(status, &[], &body(code, "")))).0, result, "{code}");
    }
}

#[test]
fn an_error_inside_a_200_is_an_error() {
    let body = r#"{"error":{"code":"10","error_subcode":"2534022"}}"#;
    assert_eq!(read(outcome(&message_step(), &response(200, &[], body))).1.category, WindowClosed);
}

#[test]
fn a_receipt_gives_what_meta_gave() {
    let sent = |step: &SentStep, body: &str| match outcome(step, &response(200, &[], body)).verdict {
        SendResult::Sent(receipt) => receipt,
        other => panic!("{other:?}"),
    };
    let receipt = sent(&message_step(), r#"{"recipient_id":"65","message_id":"aWdfZAG1"}"#);
    let message = SentMessage { part: 0, message: message_ref("aWdfZAG1") };
    assert_eq!((receipt.messages, receipt.recipient.as_deref()), (vec![message], Some("65")));
    assert_eq!(receipt.thread, None);
    for body in [r#"{"recipient_id":"65"}"#, r#"{"success":true}"#, "", "<html>"] {
        assert_eq!(sent(&action_step(), body).messages, []);
    }
    assert_eq!(sent(&upload_step(), r#"{"attachment_id":"900"}"#).media_handle.as_deref(), Some("900"));
    // The host keeps the id to itself and leaves the name under which it did.
    assert_eq!(sent(&upload_step(), r#"{"attachment_id":"attachment-0-0"}"#).media_handle, None);
}

#[test]
fn an_answer_that_says_nothing_is_ambiguous_for_a_message_and_harmless_for_the_rest() {
    for (status, body) in [
        (200, "{}"),
        (200, ""),
        (200, "<html>"),
        (200, "[]"),
        (200, r#"{"recipient_id":"65"}"#),
        (500, ""),
        (502, "<html>bad gateway</html>"),
        (503, "{}"),
        (504, "null"),
        (408, ""),
    ] {
        let answer = response(status, &[], body);
        assert_eq!(read(outcome(&message_step(), &answer)).0, "ambiguous", "{status} {body}");
        assert_eq!(read(outcome(&upload_step(), &answer)).0, "transient", "{status} {body}");
        if status >= 300 {
            assert_eq!(read(outcome(&action_step(), &answer)).0, "transient", "{status} {body}");
        }
    }
}

#[test]
fn a_status_without_a_code_decides_where_nothing_else_can() {
    for (status, result, category) in [
        (400, "rejected", Internal),
        (302, "rejected", Internal),
        (401, "unauthorized", AuthExpired),
        (403, "rejected", Internal),
        (404, "rejected", NotFound),
        (413, "rejected", ContentInvalid),
        (429, "limited", RateLimited),
    ] {
        let (found, failure) = read(outcome(&message_step(), &response(status, &[], "<html>")));
        assert_eq!((found, failure.category), (result, category), "{status}");
    }
}

#[test]
fn the_envelope_of_the_login_host_is_an_error_too() {
    let body = r#"{"error_type":"OAuthException","code":400,"error_message":"x"}"#;
    assert_eq!(read(outcome(&message_step(), &response(400, &[], body))).0, "rejected");
}

#[test]
fn headers_of_both_hosts_ask_for_a_pause() {
    let ok = r#"{"message_id":"m"}"#;
    let pause = |headers: &[(&str, &str)]| outcome(&message_step(), &response(200, headers, ok)).pause;
    let wish = |scope, duration| Some(Pause { scope, duration });
    let buc = |regain: u64, used: u64| {
        format!(
            r#"{{"17841":[{{"type":"messenger","call_count":{used},"total_cputime":1,"total_time":1,"estimated_time_to_regain_access":{regain}}},{{"type":"other","call_count":1}}]}}"#
        )
    };
    assert_eq!(pause(&[("x-business-use-case-usage", &buc(0, 99))]), None);
    assert_eq!(pause(&[("x-business-use-case-usage", &buc(3, 50))]), wish(Scope::Account, 180_000));
    assert_eq!(pause(&[("x-business-use-case-usage", &buc(0, 100))]), wish(Scope::Account, 300_000));
    assert_eq!(pause(&[("x-app-usage", r#"{"call_count":28,"total_cputime":10,"total_time":15}"#)]), None);
    assert_eq!(
        pause(&[("x-app-usage", r#"{"call_count":28,"total_cputime":10,"total_time":100}"#)]),
        wish(Scope::App, 300_000)
    );
    assert_eq!(pause(&[("x-app-usage", r#"{"call_volume":100,"cpu_time":0}"#)]), wish(Scope::App, 300_000));
    assert_eq!(pause(&[("retry-after", "17")]), wish(Scope::Account, 17_000));
    assert_eq!(pause(&[("retry-after", "17"), ("x-app-usage", r#"{"call_volume":100}"#)]), wish(Scope::App, 300_000));
    for junk in
        ["", "{", "[]", "7", r#"{"a":[7,null,{"call_count":"x"}]}"#, r#"{"a":{"estimated_time_to_regain_access":-1}}"#]
    {
        assert_eq!(
            pause(&[("x-business-use-case-usage", junk), ("x-app-usage", junk), ("retry-after", junk)])
                .map(|p| p.duration)
                .unwrap_or(0)
                % 7000,
            0
        );
    }
    assert_eq!(pause(&[("retry-after", "99999999999999")]), wish(Scope::Account, 86_400_000));
}

#[test]
fn a_limit_waits_as_long_as_the_headers_ask_and_never_shorter_than_the_table() {
    let body = r#"{"error":{"code":613}}"#;
    let asked = outcome(&message_step(), &response(400, &[("retry-after", "600")], body));
    assert_eq!(read(asked).1.retry_after, Some(600_000));
    let silent = outcome(&message_step(), &response(400, &[], body));
    assert_eq!(silent.pause, Some(Pause { scope: Scope::Account, duration: 30_000 }));
    assert_eq!(read(silent).1.retry_after, Some(30_000));
}

#[test]
fn negative_codes_and_subcodes_are_shown() {
    for (written, code, subcode) in [
        (r#""code":-3"#, Some("-3"), None),
        (r#""code":"-3","error_subcode":"-7""#, Some("-3"), Some("-7")),
        (r#""code":-1,"error_subcode":-2534022"#, Some("-1"), Some("-2534022")),
        (r#""code":424242,"error_subcode":-1"#, Some("424242"), Some("-1")),
        (r#""error_subcode":-99"#, None, Some("-99")),
    ] {
        let body = format!(r#"{{"error":{{"message":"x",{written}}}}}"#);
        let (result, failure) = read(outcome(&message_step(), &response(400, &[], &body)));
        assert_eq!((result, failure.category), ("rejected", Other), "{written}");
        assert_eq!((failure.code.as_deref(), failure.subcode.as_deref()), (code, subcode), "{written}");
    }
}

#[test]
fn a_long_subcode_means_the_same_under_another_code_and_in_the_place_of_the_code() {
    for (subcode, result, category) in [
        (2_534_022, "rejected", WindowClosed),
        (2_534_041, "rejected", PermissionMissing),
        (2_534_037, "rejected", ThreadOwnedElsewhere),
        (2_534_025, "rejected", ContentInvalid),
        (2_534_040, "limited", RateLimited),
        (1_357_046, "ambiguous", Ambiguous),
        (1_545_041, "rejected", RecipientUnavailable),
        (1_893_063, "rejected", AccountRestricted),
        (2_018_008, "rejected", MediaFetchFailed),
        (2_207_004, "rejected", ContentInvalid),
    ] {
        for (code, subcode) in [(1, subcode), (100, subcode), (424_242, subcode), (subcode, 0)] {
            let (found, failure) = refused(code, subcode);
            assert_eq!((found, failure.category), (result, category), "{code}/{subcode}");
        }
    }
    // A short one means something under its own code only.
    assert_eq!(refused(424_242, 33).1.category, Other);
    assert_eq!(refused(463, 0).1.category, Other);
}
