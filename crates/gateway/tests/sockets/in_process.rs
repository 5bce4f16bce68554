//! The pipeline without a socket, before an origin that is a function.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use gateway::{
    Body, Pipeline, Secrets,
    origin::{Admission, Endpoint, Origin, OriginError},
};
use http::{Request, Response};
use http_body_util::BodyExt;
use x402::Clock;

use crate::support::{
    Reply, World,
    world::{market, rules},
};

/// Answers with what it was admitted for.
struct Admitted;

impl Origin for Admitted {
    async fn forward(&self, _: &Endpoint, admission: Admission<'_>, _: Request<Body>) -> Result<Response<Body>, OriginError> {
        let said = match admission {
            Admission::Free(_) => "free",
            Admission::Claimed(_) => "claimed",
            Admission::Settled(_) => "settled",
        };
        Ok(Response::new(Body::from(Bytes::from(said))))
    }
}

fn request(path: &str, payment: Option<&str>) -> Request<Body> {
    let mut request = Request::get(path).header("host", "shop.example");
    if let Some(payment) = payment {
        request = request.header("payment-signature", payment);
    }
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn every_request_is_admitted_for_something() {
    let world = World::start().await;
    let set = rules::RuleSet::build(rules(), market(rules::Unmatched::Pass)).unwrap();
    let (settling, ledger, clock) = (world.settling.clone(), world.ledger.clone(), Arc::clone(&world.clock) as Arc<dyn Clock>);
    let secrets = Secrets { quote: [1; 32], context: [2; 32] };
    let pipeline = Pipeline::new(Admitted, &world.config, set, settling, ledger, clock, &secrets).unwrap();
    let home: IpAddr = [127, 0, 0, 1].into();
    let free = pipeline.answer(request("/free", None), home).await;
    assert_eq!(free.into_body().collect().await.unwrap().to_bytes(), "free");
    for (path, admitted) in [("/paid/a", "claimed"), ("/first/a", "settled")] {
        let unpaid = pipeline.answer(request(path, None), home).await;
        let headers = unpaid.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        let unpaid = Reply { status: unpaid.status().as_u16(), headers, body: Vec::new(), trailers: Vec::new(), whole: true };
        let payment = world.buyer.pay(&unpaid, world.now());
        let paid = pipeline.answer(request(path, Some(&payment)), home).await;
        assert_eq!(paid.status(), 200);
        let id = World::id(&format!("PAYMENT-SIGNATURE: {payment}"));
        assert!(!world.until(id, |_| true).await.delivered);
        assert_eq!(paid.into_body().collect().await.unwrap().to_bytes(), admitted);
        world.until(id, |record| record.delivered).await;
    }
}
