// KServe's and Gateway API's own definitions, for tests: downloaded, never built.
module testbed/serving

go 1.26.0

require (
	github.com/kserve/kserve v0.20.0
	sigs.k8s.io/gateway-api v1.6.0
)
