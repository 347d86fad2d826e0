{{- define "dragonfly-operator.refuse" -}}
{{- $known := dict
  "crds" (list "install" "keep")
  "serviceAccount" (list "name")
  "manager" (list "image" "resources")
  "podAnnotations" nil
  "podLabels" nil
  "global" nil
-}}
{{- range $name, $value := .Values }}
{{- if not (hasKey $known $name) }}
{{- fail (printf "Value %s: this stand-in for the Dragonfly operator doesn't have it. Leave it out." $name) }}
{{- end }}
{{- with get $known $name }}
{{- $inner := . }}
{{- range $key, $_ := $value }}
{{- if not (has $key $inner) }}
{{- fail (printf "Value %s.%s: this stand-in for the Dragonfly operator doesn't have it. Leave it out." $name $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
