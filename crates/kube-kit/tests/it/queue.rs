use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use prometheus_client::registry::Registry;
use reeve_kube_kit::observe::Passes;
use reeve_kube_kit::queue::work;
use reeve_kube_kit::{Queue, ReconcileError, Retry};
use tokio_util::sync::CancellationToken;

#[derive(Debug)]
struct Failed(Retry);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("failed")
    }
}

impl std::error::Error for Failed {}

impl ReconcileError for Failed {
    fn reason(&self) -> &'static str {
        "Planned"
    }

    fn retry(&self) -> Retry {
        self.0
    }
}

#[tokio::test]
async fn a_key_has_one_pass_at_a_time_and_one_more_however_often_it_was_added_meanwhile() {
    let (queue, keys) = Queue::new();
    let (stop, passes) = (
        CancellationToken::new(),
        Passes::register(&mut Registry::default()),
    );
    let running = Arc::new(AtomicUsize::new(0));
    let done = Arc::new(Mutex::new(Vec::new()));
    let worker = {
        let (running, done) = (running.clone(), done.clone());
        tokio::spawn(work(
            "test",
            keys,
            4,
            passes,
            stop.clone(),
            move |key: &'static str| {
                let (running, done) = (running.clone(), done.clone());
                async move {
                    if key == "a" {
                        assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0);
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    if key == "a" {
                        running.fetch_sub(1, Ordering::SeqCst);
                    }
                    done.lock().unwrap().push(key);
                    Ok::<(), Failed>(())
                }
            },
        ))
    };
    queue.add("a");
    tokio::time::sleep(Duration::from_millis(20)).await;
    for _ in 0..10 {
        queue.add("a");
    }
    queue.add("b");
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.cancel();
    worker.await.unwrap();
    let mut done = done.lock().unwrap().clone();
    done.sort_unstable();
    assert_eq!(done, ["a", "a", "b"]);
}

#[tokio::test]
async fn a_failed_pass_is_tried_again_as_its_error_says() {
    let (queue, keys) = Queue::new();
    let mut registry = Registry::default();
    let (stop, passes) = (CancellationToken::new(), Passes::register(&mut registry));
    let counts: Arc<Mutex<std::collections::BTreeMap<&'static str, usize>>> = Arc::default();
    let worker = {
        let counts = counts.clone();
        tokio::spawn(work(
            "test",
            keys,
            4,
            passes,
            stop.clone(),
            move |key: &'static str| {
                let count = {
                    let mut counts = counts.lock().unwrap();
                    let count = counts.entry(key).or_default();
                    *count += 1;
                    *count
                };
                async move {
                    match key {
                        "after" if count < 3 => Err(Failed(Retry::After(Duration::from_millis(20)))),
                        "backoff" if count < 3 => Err(Failed(Retry::Backoff)),
                        "panics" if count < 2 => panic!("planted"),
                        "never" => Err(Failed(Retry::OnChange)),
                        _ => Ok(()),
                    }
                }
            },
        ))
    };
    for key in ["after", "backoff", "panics", "never"] {
        queue.add(key);
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let found: Vec<_> = counts.lock().unwrap().clone().into_iter().collect();
    assert_eq!(found, [("after", 3), ("backoff", 3), ("never", 1), ("panics", 2)]);
    stop.cancel();
    worker.await.unwrap();
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    assert!(
        text.contains(r#"reeve_reconcile_passes_total{controller="test",reason="Planned"} 5"#),
        "{text}"
    );
    assert!(
        text.contains(r#"reeve_reconcile_passes_total{controller="test",reason="Panicked"} 1"#),
        "{text}"
    );
}

#[tokio::test]
async fn a_key_that_is_asked_for_later_again_and_again_has_one_pass_then() {
    let (queue, keys) = Queue::new();
    let (stop, passes) = (
        CancellationToken::new(),
        Passes::register(&mut Registry::default()),
    );
    let done = Arc::new(Mutex::new(Vec::new()));
    let (seen, last) = (done.clone(), stop.clone());
    for _ in 0..50 {
        queue.add_after(1, Duration::from_millis(300));
    }
    queue.add_after(1, Duration::from_millis(50));
    queue.add_after(2, Duration::from_millis(900));
    work("test", keys, 4, passes, stop, move |key: u8| {
        seen.lock().unwrap().push(key);
        if key == 2 {
            last.cancel();
        }
        async { Ok::<_, Failed>(()) }
    })
    .await;
    assert_eq!(*done.lock().unwrap(), [1, 2], "the sooner one, once");
}

#[tokio::test]
async fn a_key_that_was_added_many_times_before_the_start_has_one_pass() {
    let (queue, keys) = Queue::new();
    let (stop, passes) = (
        CancellationToken::new(),
        Passes::register(&mut Registry::default()),
    );
    for _ in 0..50 {
        queue.add("a");
    }
    queue.add_after("end", Duration::from_millis(300));
    let done = Arc::new(Mutex::new(Vec::new()));
    let (seen, last) = (done.clone(), stop.clone());
    work("test", keys, 4, passes, stop, move |key: &'static str| {
        seen.lock().unwrap().push(key);
        if key == "end" {
            last.cancel();
        }
        async { Ok::<_, Failed>(()) }
    })
    .await;
    assert_eq!(*done.lock().unwrap(), ["a", "end"]);
}
