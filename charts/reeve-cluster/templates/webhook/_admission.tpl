{{/*
What enforces the admission rules: `policies` or `webhook`. `admission.mode: auto`, the default, takes the policies where the API
server has the kind that fills in (Kubernetes 1.36; `helm template` knows by --kube-version or --api-versions), else the webhook.
*/}}
{{- define "reeve.admission" -}}
{{- $mode := (.Values.admission).mode | default "auto" -}}
{{- if eq $mode "auto" -}}
{{- $kind := "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy" -}}
{{- or (.Capabilities.APIVersions.Has $kind) (semverCompare ">=1.36.0-0" .Capabilities.KubeVersion.Version) | ternary "policies" "webhook" -}}
{{- else if has $mode (list "policies" "webhook") -}}
{{- $mode -}}
{{- else -}}
{{- fail (printf "admission.mode is `%s`: say auto, policies or webhook" $mode) -}}
{{- end -}}
{{- end -}}

{{/* The Secret with the webhook's certificate. */}}
{{- define "reeve.webhookSecret" -}}
{{- ((.Values.admission).webhook).existingSecret | default "reeve-webhook-tls" -}}
{{- end -}}

{{/*
Certificate, key and authority as YAML. Made once: what a former installation made is kept as long as it lasts, and a render without a
cluster makes others each time.
*/}}
{{- define "reeve.webhookMade" -}}
{{- if not (hasKey .Release "reeveWebhook") -}}
{{- $old := lookup "v1" "Secret" .Release.Namespace "reeve-webhook-tls" -}}
{{- if $old -}}
{{- $_ := set .Release "reeveWebhook" (pick $old.data "tls.crt" "tls.key" "ca.crt") -}}
{{- else -}}
{{- $ca := genCA "reeve-webhook" 3650 -}}
{{- $host := printf "reeve-webhook.%s.svc" .Release.Namespace -}}
{{- $made := genSignedCert $host nil (list $host) 3650 $ca -}}
{{- $_ := set .Release "reeveWebhook" (dict "tls.crt" (b64enc $made.Cert) "tls.key" (b64enc $made.Key) "ca.crt" (b64enc $ca.Cert)) -}}
{{- end -}}
{{- end -}}
{{- toYaml .Release.reeveWebhook -}}
{{- end -}}

{{/* What tells cert-manager's cainjector whose authority the API server checks the webhook's certificate by. */}}
{{- define "reeve.webhookAnnotations" -}}
{{- if (((.Values.admission).webhook).certManager).enabled -}}
annotations:
  cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/reeve-webhook-tls
{{- end -}}
{{- end -}}

{{/* The authority that the API server checks the webhook's certificate by, base64. */}}
{{- define "reeve.webhookCA" -}}
{{- $webhook := (.Values.admission).webhook | default dict -}}
{{- if ($webhook.certManager).enabled -}}
{{- if $webhook.existingSecret -}}
{{- fail "admission.webhook.existingSecret: leave it empty, for admission.webhook.certManager makes the certificate" -}}
{{- end -}}
{{- else if $webhook.existingSecret -}}
{{- $webhook.caBundle | required "admission.webhook.caBundle: give the authority (base64 of PEM) of the certificate in admission.webhook.existingSecret" -}}
{{- else -}}
{{- get (include "reeve.webhookMade" . | fromYaml) "ca.crt" -}}
{{- end -}}
{{- end -}}

{{/* The field with it. None where cert-manager's cainjector writes it: an empty one would be written over its own at each upgrade. */}}
{{- define "reeve.webhookBundle" -}}
{{- with include "reeve.webhookCA" . -}}
caBundle: {{ . | quote }}
{{- end -}}
{{- end -}}
