//! MULTI and EXEC, and what is counted of them.

use super::script::{Client, run};

#[test]
fn only_reset_itself_leaves_multi() {
    run(&[
        ("MULTI", "+OK"),
        ("SLOWLOG RESET", "+QUEUED"),
        ("EXEC", "*1 +OK"),
        ("MULTI", "+OK"),
        ("RESET", "+RESET"),
        ("EXEC", "-ERR EXEC without MULTI"),
    ]);
}

#[test]
fn exec_with_arguments_ends_the_transaction() {
    let refusal = "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command";
    run(&[
        ("MULTI", "+OK"),
        ("SET x 1", "+QUEUED"),
        ("EXEC now", refusal),
        ("EXEC", "-ERR EXEC without MULTI"),
        ("EXISTS x", ":0"),
    ]);
}

#[test]
fn full_memory_refuses_transactions_that_may_grow() {
    let mut client = Client::new();
    client.ask("SET x 1");
    for write in ["SET y 1", "GET x"] {
        client.ask("MULTI");
        assert_eq!(client.ask(write), "+QUEUED");
        client.set("maxmemory", "1");
        let full = "OOM command not allowed when used memory > 'maxmemory'.";
        if write == "GET x" {
            assert_eq!(client.ask("EXEC"), "*1 $1 1");
            client.ask("MULTI");
            // Why: a queue takes memory, whatever is in it.
            assert_eq!(client.ask("GET x"), format!("-{full}"));
            assert_eq!(client.ask("DISCARD"), "+OK");
        } else {
            let refusal = format!("-EXECABORT Transaction discarded because of: {full}");
            assert_eq!(client.ask("EXEC"), refusal);
        }
        client.set("maxmemory", "0");
    }
    assert_eq!(client.ask("EXISTS x y"), ":1");
}

#[test]
fn commands_in_a_transaction_are_counted_each() {
    let mut client = Client::new();
    client.set("slowlog-log-slower-than", "0");
    client.ask("SLOWLOG RESET");
    for request in ["MULTI", "SET x abc", "INCR x", "EXEC"] {
        client.ask(request);
    }
    let counted = client.ask("INFO commandstats");
    for part in ["cmdstat_set:calls=1,", "cmdstat_incr:calls=1,", "cmdstat_exec:calls=1,"] {
        assert!(counted.contains(part), "{part} in {counted}");
    }
    assert!(client.ask("INFO errorstats").contains("errorstat_ERR:count=1"));
    assert!(client.ask("INFO latencystats").contains("latency_percentiles_usec_incr:"));
    let slow = client.ask("SLOWLOG GET -1");
    assert!(slow.contains("*3 $3 SET $1 x $3 abc") && !slow.contains("$4 EXEC"), "{slow}");
}

#[test]
fn a_command_is_counted_when_its_reply_is_there() {
    let mut client = Client::new();
    assert_eq!(client.ask("CONFIG REWRITE"), "-ERR The server is running without a config file");
    let counted = client.ask("INFO commandstats");
    let line = counted.split(' ').find(|line| line.starts_with("cmdstat_config|rewrite")).unwrap_or_default();
    assert!(line.contains("calls=1,") && line.ends_with("failed_calls=1"), "{counted}");
}
