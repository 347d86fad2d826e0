{{/* One rule of an HTTPRoute to a Service. Arguments: root, rule, part, port. */}}
{{- define "mastodon.routeRule" -}}
- backendRefs:
    - {group: "", kind: Service, name: {{ include "mastodon.fullname" .root }}-{{ .part }}, port: {{ .port }}, weight: 1}
  {{- with pick .rule "matches" "filters" }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* An HTTPRoute up to its rules. Arguments: root, name, parentRefs, hostnames. */}}
{{- define "mastodon.route" -}}
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: {{ .name }}
  labels:
    {{- include "mastodon.labels" .root | nindent 4 }}
    {{- include "mastodon.map" .root.Values.httproute.labels | indent 4 }}
  annotations:
    {{- include "mastodon.map" .root.Values.httproute.annotations | indent 4 }}
spec:
  parentRefs:
    {{- toYaml .parentRefs | nindent 4 }}
  hostnames:
    {{- toYaml .hostnames | nindent 4 }}
  rules:
{{- end -}}
