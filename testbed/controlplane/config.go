package main

import (
	"encoding/base64"
	"fmt"
	"os"
)

// Every request is logged once, when it has been answered: who, what, the code, and the annotations that authorization
// and admission leave. Bodies stay out: they may hold secrets, and nobody reads them.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
`

// Used when the caller names no file: nobody but certificates and ServiceAccounts, and health for everybody.
const defaultAuthentication = `apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
anonymous:
  enabled: true
  conditions:
  - path: /livez
  - path: /readyz
  - path: /healthz
`

// writeKubeconfig writes one that holds everything inline, so that it can be copied elsewhere.
func writeKubeconfig(file, server string, ca []byte, client pair) error {
	in := base64.StdEncoding.EncodeToString
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- name: testbed
  cluster:
    server: %s
    certificate-authority-data: %s
users:
- name: testbed
  user:
    client-certificate-data: %s
    client-key-data: %s
contexts:
- name: testbed
  context: {cluster: testbed, user: testbed}
current-context: testbed
`, server, in(ca), in(client.certificate), in(client.key))
	return os.WriteFile(file, []byte(text), 0o600)
}
