{{/* What objects are called and labelled. */}}

{{- define "mastodon.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The release's name if it says "mastodon" already, else both. */}}
{{- define "mastodon.fullname" -}}
{{- $chart := .Values.nameOverride | default .Chart.Name -}}
{{- $joined := contains $chart .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $chart) -}}
{{- .Values.fullnameOverride | default $joined | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "mastodon.serviceAccountName" -}}
{{- $own := .Values.serviceAccount.create | ternary (include "mastodon.fullname" .) "default" -}}
{{- .Values.serviceAccount.name | default $own -}}
{{- end -}}

{{- define "mastodon.selectorLabels" -}}
app.kubernetes.io/name: {{ include "mastodon.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "mastodon.standInLabel" -}}
fediverse.mastodon/stand-in: "true"
{{- end -}}

{{- define "mastodon.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "mastodon.selectorLabels" . }}
{{/* A digest is longer than a label may be. */ -}}
app.kubernetes.io/version: {{ regexReplaceAll "@(\\w+:\\w{0,7})\\w*" (.Values.image.tag | default .Chart.AppVersion) "@${1}" | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "mastodon.standInLabel" . }}
{{- include "mastodon.map" .Values.labels }}
{{- end -}}

{{/* The lines of a map, each value a string, beginning with a line break; nothing for an empty map. */}}
{{- define "mastodon.map" -}}
{{- range $key, $value := . }}
{{ $key }}: {{ quote $value }}
{{- end -}}
{{- end -}}

{{/* The same without empty values. */}}
{{- define "mastodon.given" -}}
{{- range $key, $value := . }}
{{- if $value }}
{{ $key }}: {{ quote $value }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* The annotations of a hook. Arguments: when, weight. */}}
{{- define "mastodon.hook" -}}
helm.sh/hook: {{ .when }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
helm.sh/hook-weight: {{ .weight | quote }}
{{- end -}}

{{/* The Secret to read. Arguments: root, values (with existingSecret), name, suffix. */}}
{{- define "mastodon.secretName" -}}
{{- .values.existingSecret | default (printf "%s-%s%s" (include "mastodon.fullname" .root) .name (.suffix | default "")) -}}
{{- end -}}
