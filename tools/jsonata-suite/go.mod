module github.com/internal-app-portal/iap/tools/jsonata-suite

go 1.26.0

require github.com/blues/jsonata-go v1.5.4
