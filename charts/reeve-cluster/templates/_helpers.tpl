{{/* A map without what is null in it, at any depth; as YAML. */}}
{{- define "reeve.compact" -}}
{{- $out := dict -}}
{{- range $key, $value := . -}}
{{- if kindIs "map" $value -}}
{{- $inner := include "reeve.compact" $value | fromYaml -}}
{{- if or $inner (not $value) -}}{{- $_ := set $out $key $inner -}}{{- end -}}
{{- else if not (kindIs "invalid" $value) -}}
{{- $_ := set $out $key $value -}}
{{- end -}}
{{- end -}}
{{- if $out -}}{{ toYaml $out }}{{- end -}}
{{- end -}}

{{- define "reeve.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: reeve
{{- end -}}

{{/* registry/repository:tag or @digest of {"root", "image", "name"} */}}
{{- define "reeve.image" -}}
{{- $registry := (((.root.Values.global).image).registry) | required "global.image.registry: name the registry to which you pushed Reeve's images" -}}
{{- $repository := .image.repository | default .name -}}
{{- if .image.digest -}}
{{- printf "%s/%s@%s" $registry $repository .image.digest -}}
{{- else -}}
{{- printf "%s/%s:%s" $registry $repository (.image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* imagePullSecrets of both lists; an entry is a name or an object with one. */}}
{{- define "reeve.pullSecrets" -}}
{{- range concat (.Values.imagePullSecrets | default list) (((.Values.global).additionalImagePullSecrets) | default list) }}
- name: {{ kindIs "string" . | ternary . (get (kindIs "map" . | ternary . dict) "name") | quote }}
{{- end -}}
{{- end -}}
