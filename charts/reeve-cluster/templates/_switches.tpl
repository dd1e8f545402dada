{{/* Generated from the table of rights by `cargo xtask gen`; do not edit.

The four switches. Their keys are accepted in every form that the reference has had: below clusterConfig.project-controller,
runai-operator.config.project-controller, or spec.project-controller of a saved runaiconfig. Off wins: one key that says
false is enough. A key that is unknown there is refused by its name. */}}
{{- define "reeve.switch" -}}
{{- $off := false -}}
{{- $known := list "createNamespaces" "createNamespacesAndRoleBindings" "createRoleBindings" "CreateRoleBindings" "clusterWideSecret" "limitRange" -}}
{{- range $place := list "clusterConfig" "runai-operator.config" "spec" -}}
{{- $section := $.values -}}
{{- range $name := append (splitList "." $place) "project-controller" -}}
{{- $section = get $section $name | default dict -}}
{{- end -}}
{{- range $key, $value := $section -}}
{{- if not (has $key $known) -}}
{{- fail (printf "%s.project-controller.%s is unknown: use one of %s" $place $key (join ", " $known)) -}}
{{- end -}}
{{- if not (or (kindIs "invalid" $value) (has (toString $value) (list "true" "false"))) -}}
{{- fail (printf "%s.project-controller.%s is true or false, not %v" $place $key $value) -}}
{{- end -}}
{{- if and (has $key $.keys) (eq (toString $value) "false") -}}
{{- $off = true -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not $off -}}true{{- end -}}
{{- end }}

{{- define "reeve.switch.namespace-creation" -}}
{{- include "reeve.switch" (dict "values" .Values "keys" (list "createNamespaces" "createNamespacesAndRoleBindings")) -}}
{{- end }}

{{- define "reeve.switch.user-assignment" -}}
{{- include "reeve.switch" (dict "values" .Values "keys" (list "createRoleBindings" "CreateRoleBindings" "createNamespacesAndRoleBindings")) -}}
{{- end }}

{{- define "reeve.switch.secret-propagation" -}}
{{- include "reeve.switch" (dict "values" .Values "keys" (list "clusterWideSecret")) -}}
{{- end }}

{{- define "reeve.switch.limit-range" -}}
{{- include "reeve.switch" (dict "values" .Values "keys" (list "limitRange")) -}}
{{- end }}

{{/* The section project-controller of ReeveConfig: the four switches as they are decided. */}}
{{- define "reeve.switches" -}}
createNamespaces: {{ include "reeve.switch.namespace-creation" . | default "false" }}
createRoleBindings: {{ include "reeve.switch.user-assignment" . | default "false" }}
clusterWideSecret: {{ include "reeve.switch.secret-propagation" . | default "false" }}
limitRange: {{ include "reeve.switch.limit-range" . | default "false" }}
{{- end }}
