{{/* Environment from Secrets, for containers. Arguments of each: root, and suffix for the copies that hooks read. */}}

{{/* Arguments: secret, env (variable → key). */}}
{{- define "mastodon.env.fromSecret" -}}
{{- $secret := .secret }}
{{- range $name, $key := .env }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef: {name: {{ $secret }}, key: {{ $key }}}
{{- end }}
{{- end -}}

{{- define "mastodon.secretEnv.app" -}}
{{- $values := .root.Values.mastodon.secrets }}
{{- $secret := include "mastodon.secretName" (dict "root" .root "values" $values "name" "secrets" "suffix" .suffix) }}
{{- with $values.existingSecretKeys }}
{{- include "mastodon.env.fromSecret" (dict "secret" $secret "env" (dict
  "SECRET_KEY_BASE" .secretKeyBase
  "VAPID_PRIVATE_KEY" .vapidPrivateKey
  "VAPID_PUBLIC_KEY" .vapidPublicKey
  "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY" .arePrimaryKey
  "ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY" .areDeterministicKey
  "ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT" .areKeyDerivationSalt
)) }}
{{- end }}
{{- end -}}

{{- define "mastodon.secretEnv.database" -}}
{{- $values := .root.Values.postgresql }}
{{- $secret := include "mastodon.secretName" (dict "root" .root "values" $values "name" "postgres-auth" "suffix" .suffix) }}
{{- with $values.existingSecretKeys }}
{{- include "mastodon.env.fromSecret" (dict "secret" $secret "env" (dict "DB_USER" .username "DB_PASS" .password)) }}
{{- end }}
{{- with $values.readReplica }}
{{- if .existingSecret }}
{{- include "mastodon.env.fromSecret" (dict "secret" .existingSecret "env" (dict
  "REPLICA_DB_USER" .existingSecretKeys.username
  "REPLICA_DB_PASS" .existingSecretKeys.password
)) }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "mastodon.secretEnv.redis" -}}
{{- $root := .root }}
{{- $suffix := .suffix }}
{{- with .root.Values.redis }}
{{- $secret := include "mastodon.secretName" (dict "root" $root "values" . "name" "redis-auth" "suffix" $suffix) }}
{{- include "mastodon.env.fromSecret" (dict "secret" $secret "env" (dict "REDIS_PASSWORD" .existingSecretKeys.password)) }}
{{- end }}
{{- range $part := list "sidekiq" "cache" }}
{{- with index $root.Values.redis $part }}
{{- if .enabled }}
{{- $name := printf "redis-%s-auth" $part }}
{{- $secret := include "mastodon.secretName" (dict "root" $root "values" . "name" $name "suffix" $suffix) }}
{{- $variable := printf "%s_REDIS_PASSWORD" (upper $part) }}
{{- include "mastodon.env.fromSecret" (dict "secret" $secret "env" (dict $variable .existingSecretKeys.password)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "mastodon.secretEnv.s3" -}}
{{- $values := .root.Values.mastodon.s3 }}
{{- $secret := include "mastodon.secretName" (dict "root" .root "values" $values "name" "s3-auth") }}
{{- with $values.existingSecretKeys }}
{{- include "mastodon.env.fromSecret" (dict "secret" $secret "env" (dict
  "AWS_ACCESS_KEY_ID" .accessKeyId
  "AWS_SECRET_ACCESS_KEY" .secretAccessKey
)) }}
{{- end }}
{{- end -}}

{{- define "mastodon.secretEnv.smtp" -}}
{{- $values := .root.Values.mastodon.smtp }}
{{- $secret := include "mastodon.secretName" (dict "root" .root "values" $values "name" "smtp-auth") }}
{{- with $values.existingSecretKeys }}
{{- include "mastodon.env.fromSecret" (dict "secret" $secret "env" (dict
  "SMTP_LOGIN" .username
  "SMTP_PASSWORD" .password
)) }}
{{- end }}
{{- end -}}

{{/* What every process needs. */}}
{{- define "mastodon.secretEnv.common" -}}
{{- include "mastodon.secretEnv.app" . }}
{{- include "mastodon.secretEnv.database" . }}
{{- include "mastodon.secretEnv.redis" . }}
{{- end -}}
