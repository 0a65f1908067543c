package signature_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/secret"
	"channelbridge/internal/signature"
)

func key(t testing.TB, text string) signature.Key {
	t.Helper()
	k, err := signature.ParseKey(secret.New(text))
	require.NoError(t, err)
	return k
}

// The example of the Standard Webhooks libraries: secret, id, timestamp, body and signature.
const (
	knownSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	knownID     = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	knownStamp  = 1614265330
	knownBody   = `{"test": 2432232314}`
	knownSum    = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func TestTheExampleOfTheTextComesOut(t *testing.T) {
	h := signature.Header(knownID, time.Unix(knownStamp, 0), []byte(knownBody), key(t, knownSecret))
	require.Equal(t, knownID, h.Get(signature.HeaderID))
	require.Equal(t, "1614265330", h.Get(signature.HeaderTimestamp))
	require.Equal(t, knownSum, h.Get(signature.HeaderSignature))
}

func TestEachKeySignsAndAnyOfThemFits(t *testing.T) {
	old, now := key(t, knownSecret), key(t, "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	h := signature.Header("a", time.Unix(1, 0), []byte("x"), now, old)
	sums := h.Get(signature.HeaderSignature)
	require.Len(t, strings.Fields(sums), 2)
	for _, k := range []signature.Key{old, now} {
		require.True(t, signature.Fits([]signature.Key{k}, "a", "1", sums, []byte("x")))
		require.False(t, signature.Fits([]signature.Key{k}, "b", "1", sums, []byte("x")))
		require.False(t, signature.Fits([]signature.Key{k}, "a", "2", sums, []byte("x")))
		require.False(t, signature.Fits([]signature.Key{k}, "a", "1", sums, []byte("y")))
	}
	require.False(t, signature.Fits([]signature.Key{old}, "a", "1", strings.Fields(sums)[0], []byte("x")))
	require.False(t, signature.Fits(nil, "a", "1", sums, []byte("x")))
}

func TestAKeyThatIsWrongIsRefusedAndNeverShown(t *testing.T) {
	for text, why := range map[string]string{"": "whsec_", "c2VjcmV0": "whsec_", "whsec_!hush!": "base64", "whsec_aHVzaA==": "24 bytes"} {
		_, err := signature.ParseKey(secret.New(text))
		require.ErrorContains(t, err, why, text)
		require.NotContains(t, err.Error(), "hush")
		require.NotContains(t, err.Error(), "aHVzaA")
	}
	k := key(t, knownSecret)
	require.Equal(t, "*** *** *** [***]", fmt.Sprintf("%s %v %#v %v", k, k, k, []signature.Key{k}))
}

// Whatever signatures somebody sends, they fit only when one of them is the right one.
func FuzzFits(f *testing.F) {
	f.Add("v1,AAAA v1a,BBBB", "1", []byte("{}"))
	f.Add(knownSum, "1614265330", []byte(knownBody))
	f.Fuzz(func(t *testing.T, sums, stamp string, body []byte) {
		k := key(t, knownSecret)
		right := signature.Header("a", time.Unix(7, 0), body, k).Get(signature.HeaderSignature)
		require.False(t, signature.Fits([]signature.Key{k}, "b", stamp, sums, body))
		if len(strings.Fields(sums)) < 8 {
			require.True(t, signature.Fits([]signature.Key{k}, "a", "7", sums+" "+right, body))
		}
	})
}
