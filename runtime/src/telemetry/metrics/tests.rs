use super::*;

#[test]
fn each_service_shows_its_own_series_and_the_gateway_those_of_nobody() {
    let handles = install();
    metrics::counter!("panics_total", "service" => "auth-service").increment(7);
    metrics::counter!("rate_limit_hits_total", "endpoint" => "/router-test").increment(1);
    let auth = handles.render(ServiceName::Auth);
    let gateway = handles.render(ServiceName::Gateway);
    assert!(auth.contains("panics_total{service=\"auth-service\"}"), "{auth}");
    assert!(!gateway.contains("auth-service"));
    assert!(gateway.contains("rate_limit_hits_total{endpoint=\"/router-test\"} 1"));
    assert!(!auth.contains("rate_limit_hits_total"));
}

#[test]
fn declared_series_show_at_zero_with_buckets_and_help() {
    let handles = install();
    declare_plain(ServiceName::Storage);
    declare(ServiceName::Storage, "http_request_duration_seconds", &[("method", "GET"), ("endpoint", "/healthz")]);
    let text = handles.render(ServiceName::Storage);
    assert!(text.contains("http_requests_in_flight{service=\"storage-service\"} 0"), "{text}");
    assert!(text.contains("# HELP http_requests_in_flight"));
    assert!(text.contains("http_request_duration_seconds_bucket"));
    assert!(text.contains("le=\"0.0005\""));
    assert!(!text.contains("quantile"));
}

#[test]
fn the_catalogue_names_each_metric_once_and_gives_histograms_ascending_buckets() {
    for (index, metric) in CATALOGUE.iter().enumerate() {
        assert!(CATALOGUE[..index].iter().all(|other| other.name != metric.name), "{}", metric.name);
        assert_eq!(metric.kind == Kind::Histogram, !metric.buckets.is_empty());
        assert!(metric.buckets.is_sorted());
        assert_eq!(metric.kind == Kind::Counter, metric.name.ends_with("_total") && metric.kind != Kind::Gauge);
    }
}

#[test]
fn a_table_of_offenders_is_part_of_its_services_exposition() {
    let handles = install();
    let table = handles.top_offenders(ServiceName::Auth, "auth_login_failed_by_ip", "ip");
    table.record("203.0.113.9");
    let text = handles.render(ServiceName::Auth);
    assert!(text.contains("auth_login_failed_by_ip{service=\"auth-service\",ip=\"203.0.113.9\"} 1"));
    assert!(text.contains("ip=\"other\"} 0"));
    assert!(!handles.render(ServiceName::Chat).contains("auth_login_failed_by_ip"));
}
