# Everything here is a shorthand; the commands themselves are in README.md and .ci/run.

.PHONY: build test lint demo cross golden

build: ## the program, without cgo
	CGO_ENABLED=0 go build -trimpath -o mingshi ./cmd/mingshi

test: ## everything that needs no root, no network and no browser
	go test ./...

lint:
	go vet ./...
	golangci-lint run

demo:
	go run ./cmd/mingshi demo

cross: ## the three systems
	for os in linux windows darwin; do CGO_ENABLED=0 GOOS=$$os go build -o /dev/null ./cmd/mingshi || exit 1; done

golden: ## write the golden files again; read the difference before you commit it
	go test ./report ./site ./internal/scenario -update
