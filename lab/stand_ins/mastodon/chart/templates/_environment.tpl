{{/* Plain environment, for the two ConfigMaps. */}}

{{- define "mastodon.env.base" -}}
{{- with .Values.mastodon -}}
LOCAL_DOMAIN: {{ .localDomain | quote }}
RAILS_LOG_LEVEL: {{ .logLevel.rails | quote }}
LOG_LEVEL: {{ .logLevel.streaming | quote }}
MALLOC_ARENA_MAX: "2"
NODE_ENV: production
RAILS_ENV: production
STREAMING_CLUSTER_NUM: {{ .streaming.workers | quote }}
{{- include "mastodon.given" (dict
  "WEB_DOMAIN" .webDomain
  "ALTERNATE_DOMAINS" (join "," .alternateDomains)
  "DEFAULT_LOCALE" .locale
  "TRUSTED_PROXY_IP" .trustedProxyIp
  "STREAMING_API_BASE_URL" .streaming.baseUrl
  "SINGLE_USER_MODE" .singleUserMode
  "AUTHORIZED_FETCH" .authorizedFetch
  "LIMITED_FEDERATION_MODE" .limitedFederationMode
) }}
{{- end }}
{{- include "mastodon.given" (dict "TZ" .Values.timezone) }}
{{- end -}}

{{- define "mastodon.env.database" -}}
{{- with .Values.postgresql -}}
DB_HOST: {{ required "postgresql.hostname: the database's hostname must be given" .hostname | quote }}
DB_PORT: {{ required "postgresql.port: the database's port must be given" .port | quote }}
DB_NAME: {{ required "postgresql.database: the database's name must be given" .database | quote }}
PREPARED_STATEMENTS: {{ .preparedStatements | quote }}
{{- if .readReplica.hostname }}
{{- include "mastodon.given" (dict
  "REPLICA_DB_HOST" .readReplica.hostname
  "REPLICA_DB_PORT" .readReplica.port
  "REPLICA_DB_NAME" .readReplica.database
) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* For migrations, which a transaction pooler would break. The default port wins over postgresql.port, as upstream. */}}
{{- define "mastodon.env.databaseDirect" -}}
{{- with .Values.postgresql -}}
DB_HOST: {{ coalesce .direct.hostname .hostname | quote }}
DB_PORT: {{ coalesce .direct.port .port | quote }}
DB_NAME: {{ coalesce .direct.database .database | quote }}
PREPARED_STATEMENTS: {{ .preparedStatements | quote }}
{{- end }}
{{- end -}}

{{- define "mastodon.env.redis" -}}
{{- with .Values.redis -}}
REDIS_HOST: {{ required "redis.hostname: Redis' hostname is required" .hostname | quote }}
{{- include "mastodon.given" (dict "REDIS_PORT" .port) }}
{{- range $part := list "sidekiq" "cache" }}
{{- with index $.Values.redis $part }}
{{- if .enabled }}
{{ upper $part }}_REDIS_HOST: {{ required (printf "redis.%s.hostname: it is required when redis.%s is enabled" $part $part) .hostname | quote }}
{{- include "mastodon.given" (dict (printf "%s_REDIS_PORT" (upper $part)) .port) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "mastodon.env.s3" -}}
{{- with .Values.mastodon.s3 -}}
S3_ENABLED: "true"
S3_BUCKET: {{ required "mastodon.s3.bucket: the bucket is required" .bucket | quote }}
S3_ENDPOINT: {{ required "mastodon.s3.endpoint: the endpoint is required" .endpoint | quote }}
S3_HOSTNAME: {{ required "mastodon.s3.hostname: the hostname is required" .hostname | quote }}
S3_PROTOCOL: {{ .protocol | default "https" | quote }}
{{- include "mastodon.given" (dict
  "S3_PERMISSION" .permission
  "S3_REGION" .region
  "S3_ALIAS_HOST" .aliasHost
  "S3_MULTIPART_THRESHOLD" .multipartThreshold
  "S3_OVERRIDE_PATH_STYLE" .overridePathStyle
) }}
{{- end }}
{{- end -}}

{{- define "mastodon.env.smtp" -}}
{{- with .Values.mastodon.smtp -}}
{{- include "mastodon.given" (dict
  "SMTP_AUTH_METHOD" .authMethod
  "SMTP_CA_FILE" .caFile
  "SMTP_DELIVERY_METHOD" .deliveryMethod
  "SMTP_DOMAIN" .domain
  "SMTP_ENABLE_STARTTLS" .enableStartTls
  "SMTP_FROM_ADDRESS" .fromAddress
  "SMTP_OPENSSL_VERIFY_MODE" .opensslVerifyMode
  "SMTP_PORT" .port
  "SMTP_REPLY_TO" .replyTo
  "SMTP_RETURN_PATH" .returnPath
  "SMTP_SERVER" .server
  "SMTP_TLS" .tls
) | trim }}
{{- end }}
{{- end -}}

{{/* The parts that the stand-in lacks (refused.yaml), turned off in the words of the official chart. */}}
{{- define "mastodon.env.off" -}}
{{- range list "CACHE_BUSTER_ENABLED" "OIDC_ENABLED" "SAML_ENABLED" "CAS_ENABLED" "PAM_ENABLED" "LDAP_ENABLED" "OMNIAUTH_ONLY" }}
{{ . }}: "false"
{{- end }}
{{- end -}}

{{- define "mastodon.env.search" -}}
ES_ENABLED: "false"
{{- end -}}

{{- define "mastodon.configMap" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "mastodon.fullname" . }}-env
  labels:
    {{- include "mastodon.labels" . | nindent 4 }}
data:
  {{- include "mastodon.env.base" . | nindent 2 }}
  {{- include "mastodon.env.database" . | nindent 2 }}
  {{- include "mastodon.env.search" . | nindent 2 }}
  {{- include "mastodon.env.redis" . | nindent 2 }}
  {{- include "mastodon.env.s3" . | nindent 2 }}
  {{- include "mastodon.env.smtp" . | nindent 2 }}
  {{- include "mastodon.env.off" . | indent 2 }}
  {{- include "mastodon.map" .Values.mastodon.extraEnvVars | indent 2 }}
{{- end -}}
