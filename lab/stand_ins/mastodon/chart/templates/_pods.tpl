{{/* What the three kinds of Deployment, and the Jobs, have in common. */}}

{{/* Arguments: root, values (of the part), labels (more of the Deployment's own). */}}
{{- define "mastodon.deploymentMetadata" -}}
labels:
  {{- include "mastodon.labels" .root | nindent 2 }}
  {{- include "mastodon.map" .values.labels | indent 2 }}
  {{- include "mastodon.map" .labels | indent 2 }}
annotations:
  {{- include "mastodon.map" .root.Values.deploymentAnnotations | indent 2 }}
  {{- include "mastodon.map" .values.annotations | indent 2 }}
{{- end -}}

{{/* Arguments: root, values (of the part), replicas, labels (that select its pods). */}}
{{- define "mastodon.deploymentSpec" -}}
replicas: {{ .replicas }}
{{- if not (kindIs "invalid" .root.Values.mastodon.revisionHistoryLimit) }}
revisionHistoryLimit: {{ .root.Values.mastodon.revisionHistoryLimit }}
{{- end }}
{{- with .values.updateStrategy }}
strategy:
  {{- toYaml . | nindent 2 }}
{{- end }}
selector:
  matchLabels:
    {{- include "mastodon.selectorLabels" .root | nindent 4 }}
    {{- include "mastodon.map" .labels | indent 4 }}
{{- end -}}

{{/* Arguments: root, values (of the part), labels (that select it). */}}
{{- define "mastodon.podMetadata" -}}
labels:
  {{- include "mastodon.selectorLabels" .root | nindent 2 }}
  {{- include "mastodon.standInLabel" . | nindent 2 }}
  {{- include "mastodon.map" .root.Values.labels | indent 2 }}
  {{- include "mastodon.map" .root.Values.podLabels | indent 2 }}
  {{- include "mastodon.map" .values.podLabels | indent 2 }}
  {{- include "mastodon.map" .labels | indent 2 }}
annotations:
  {{- if .root.Values.revisionPodAnnotation }}
  rollme: {{ .root.Release.Revision | quote }}
  {{- end }}
  # Of the plain environment only: a changed Secret restarts nothing, as upstream.
  checksum/config-configmap: {{ include "mastodon.configMap" .root | sha256sum }}
  {{- include "mastodon.map" .root.Values.podAnnotations | indent 2 }}
  {{- include "mastodon.map" .values.podAnnotations | indent 2 }}
{{- end -}}

{{/* Arguments: root, suffix of the service account, from (maps that may say `podSecurityContext`, the first wins). */}}
{{- define "mastodon.podSpec" -}}
serviceAccountName: {{ include "mastodon.serviceAccountName" .root }}{{ .suffix }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- include "mastodon.first" (dict "key" "podSecurityContext" "as" "securityContext" "from" .from) }}
{{- end -}}

{{/* Arguments: root, suffix of the ConfigMap. */}}
{{- define "mastodon.envFrom" -}}
envFrom:
  - configMapRef: {name: {{ include "mastodon.fullname" .root }}-env{{ .suffix }}}
  {{- with .root.Values.mastodon.extraEnvFrom }}
  - configMapRef: {name: {{ . }}}
  {{- end }}
{{- end -}}

{{/* The lines of a map as a container's environment. */}}
{{- define "mastodon.envList" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ quote $value }}
{{- end }}
{{- end -}}

{{/* Arguments: from (maps that may say where pods go, the first wins). */}}
{{- define "mastodon.placement" -}}
{{- $from := .from }}
{{- range $key := list "nodeSelector" "affinity" "topologySpreadConstraints" "tolerations" }}
{{- include "mastodon.first" (dict "key" $key "from" $from) }}
{{- end }}
{{- end -}}

{{/* A field from the first of several maps that has it. Arguments: key, from, as (the field's name if it differs). */}}
{{- define "mastodon.first" -}}
{{- $key := .key }}
{{- $found := dict }}
{{- range .from }}
{{- if and (empty $found) (index . $key) }}{{ $found = index . $key }}{{ end }}
{{- end }}
{{- if $found }}
{{ .as | default .key }}:
  {{- toYaml $found | nindent 2 }}
{{- end }}
{{- end -}}
