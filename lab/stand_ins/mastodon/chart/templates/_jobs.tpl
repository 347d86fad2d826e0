{{/*
A hook Job. Arguments: root, name, container (what its container is called, if not after the Job), when, weight, command,
env (more of it), before (whether it runs before the release's own objects exist), predeployEnv (whether it connects to
the database directly), placement (maps that may say `nodeSelector`; upstream gives that to no migration, though its
values have the key).
*/}}
{{- define "mastodon.job" -}}
{{- $values := .root.Values }}
{{- $pod := dict "root" .root "suffix" (.before | ternary "-predeploy" "") "from" (list $values) }}
{{- $fullname := include "mastodon.fullname" .root }}
{{- $container := printf "%s-%s" $fullname (.container | default .name) }}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $fullname }}-{{ .name }}
  labels:
    {{- include "mastodon.labels" .root | nindent 4 }}
    {{- include "mastodon.map" $values.jobLabels | indent 4 }}
  annotations:
    {{- include "mastodon.hook" (dict "when" .when "weight" .weight) | nindent 4 }}
spec:
  template:
    metadata:
      name: {{ $container }}
      labels:
        {{- include "mastodon.standInLabel" . | nindent 8 }}
      annotations:
        {{- include "mastodon.map" $values.jobAnnotations | indent 8 }}
    spec:
      restartPolicy: Never
      {{- include "mastodon.podSpec" $pod | nindent 6 }}
      containers:
        - name: {{ $container }}
          image: "{{ $values.image.repository }}:{{ $values.image.tag | default .root.Chart.AppVersion }}"
          imagePullPolicy: {{ $values.image.pullPolicy }}
          command:
            {{- toYaml .command | nindent 12 }}
          {{- include "mastodon.envFrom" (dict "root" .root "suffix" (.predeployEnv | ternary "-predeploy" "")) | nindent 10 }}
          env:
            {{- include "mastodon.envList" .env | indent 12 }}
            {{- include "mastodon.secretEnv.common" $pod | indent 12 }}
          {{- include "mastodon.first" (dict "key" "securityContext" "from" $pod.from) | indent 10 }}
      {{- include "mastodon.first" (dict "key" "nodeSelector" "from" .placement) | indent 6 }}
{{- end -}}
