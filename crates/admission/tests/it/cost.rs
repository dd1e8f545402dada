use crate::stage::*; use crate::table::*; use crate::world::*;
use reeve_testkit::*; use std::time::Instant;
#[tokio::test]
async fn cost() -> anyhow::Result<()> {
    let Some(cluster) = own_cluster(Options { tier: Tier::ApiServer, ..Options::default() }).await else { return Ok(()) };
    let some: Vec<Row> = rows()?.into_iter().filter(|r| r.check == "pod-user").collect();
    let stage = &Stage::set(&cluster, &some, &["privileged"]).await?;
    let bare = create_request("alice", "strict", minimal("Pod", "cost"));
    let mut full = create_request("alice", "strict", minimal("Pod", "cost"));
    reeve_admission::mutate::fill_for(&mut full.object, &stamp("alice"), true);
    let arms = [("none", "outside", &bare), ("none-full", "outside", &full), ("bare", "privileged-strict", &bare), ("nothing missing", "privileged-strict", &full)];
    for variant in ["as is", "no message expressions", "half the validations", "no validations", "as is"] {
        let mut p = reeve_admission::policies();
        let v = p[2]["spec"]["validations"].as_array_mut().unwrap();
        match variant { "no message expressions" => v.iter_mut().for_each(|x| { x.as_object_mut().unwrap().remove("messageExpression"); }),
          "half the validations" => { v.iter_mut().for_each(|x| { x.as_object_mut().unwrap().remove("messageExpression"); }); v.truncate(18) }
          "no validations" => { v.truncate(1); }, _ => {} }
        stage.install(&p[2..3]).await?;
        tokio::time::sleep(std::time::Duration::from_secs(4)).await;
        let mut t: Vec<Vec<u128>> = vec![vec![]; arms.len()];
        for _ in 0..600 { for (i, (_, ns, r)) in arms.iter().enumerate() {
            let s = Instant::now(); let a = send(&stage.client, ns, r, true).await?; t[i].push(s.elapsed().as_micros()); assert!(a.admitted());
        } }
        for (i, (n, _, _)) in arms.iter().enumerate() { t[i].sort(); println!("{variant}: {n}: p50 {} p25 {}", t[i][300], t[i][150]); }
    }
    Ok(())
}
