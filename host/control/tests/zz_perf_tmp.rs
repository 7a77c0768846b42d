//! Temporary measurement.
#![allow(warnings)]
use std::sync::Arc; use std::time::Instant;
use axum::body::Body; use axum::http::Request; use tower::ServiceExt;
use longshore_control::api::*; use longshore_messaging::*; use longshore_store::*;
struct R; #[async_trait::async_trait] impl Readiness for R { async fn items(&self)->Vec<ReadyItem>{vec![]} }
struct P; impl PluginView for P { fn list(&self)->serde_json::Value{().into()} fn show(&self,_:&str,_:&str)->Option<serde_json::Value>{None} }
#[test] fn perf() {
 let rt = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
 rt.block_on(async {
  let dir = tempfile::TempDir::new_in(std::env::var("PERF_DIR").unwrap_or("/tmp".into())).unwrap();
  let store = Store::open(&format!("sqlite://{}", dir.path().join("a.db").display()), Options::default()).await.unwrap();
  let api = router(ApiParts{store, transport: Arc::new(MemoryTransport::new()), readiness: Arc::new(R), plugins: Arc::new(P), config: ApiConfig::default()});
  let n = 8000; let t = Instant::now();
  let mut js = vec![];
  for w in 0..32 { let api = api.clone(); js.push(tokio::spawn(async move {
    let mut worst = std::time::Duration::ZERO;
    for i in 0..n/32 { let t = Instant::now();
      let r = api.clone().oneshot(Request::post("/v2.1/servers").body(Body::from(format!("{{\"server\":{{\"name\":\"s{w}-{i}\",\"flavorRef\":\"1\"}}}}"))).unwrap()).await.unwrap();
      assert_eq!(r.status(), 202); worst = worst.max(t.elapsed()); } worst })); }
  let mut worst = std::time::Duration::ZERO; for j in js { worst = worst.max(j.await.unwrap()); }
  eprintln!("{} boots in {:?}: {:.0}/s, slowest {:?}", n, t.elapsed(), n as f64/t.elapsed().as_secs_f64(), worst);
 });
}
