package eks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// An aws is called as AWS is, in one region.
type aws struct{ url, region string }

// keys are of a user, or with a token of a session.
type keys struct {
	ID     string `json:"accessKeyId"`
	Secret string `json:"secretAccessKey"`
	Token  string `json:"sessionToken"`
}

// On the local AWS an account's number is the access key of its root user.
func root(account string) keys { return keys{ID: account, Secret: "test"} }

type fields map[string]string

// A refusal is an error that AWS answers.
type refusal struct {
	action, status, said string
}

func (r refusal) Error() string { return fmt.Sprintf("%s: %s %s", r.action, r.status, r.said) }

// query calls a service that takes forms and answers in XML.
func (a *aws) query(ctx context.Context, by keys, service, version, action string, more fields, answer any) error {
	form := url.Values{"Action": {action}, "Version": {version}}
	for name, value := range more {
		form.Set(name, value)
	}
	said, err := a.call(ctx, by, service, action, http.MethodPost, "/", "application/x-www-form-urlencoded", form.Encode())
	if err != nil {
		return err
	}
	return xml.Unmarshal(said, answer)
}

// rest calls a service that takes and answers JSON.
func (a *aws) rest(ctx context.Context, by keys, service, action, method, path string, body, answer any) error {
	text := []byte{}
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	said, err := a.call(ctx, by, service, action, method, path, "application/json", string(text))
	if err != nil {
		return err
	}
	return json.Unmarshal(said, answer)
}

func (a *aws) call(ctx context.Context, by keys, service, action, method, path, kind, body string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, a.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", kind)
	hash := sha256.Sum256([]byte(body))
	credentials := sdk.Credentials{AccessKeyID: by.ID, SecretAccessKey: by.Secret, SessionToken: by.Token}
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(hash[:]), service, a.region, time.Now()); err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = refusal{action, response.Status, string(said)}
	}
	return said, err
}
