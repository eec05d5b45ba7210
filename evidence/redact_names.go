package evidence

import "strings"

// Names are compared by their local part, in lower case, without separators.

// loginNames hold credentials, as XML elements, attributes and JSON members. ONVIF tokens ("ProfileToken") are not among them.
var loginNames = words(`username user_name loginname loginuser password passwd pwd passphrase nonce cnonce opaque created digest
	authorization cookie sessionid session_id accesstoken access_token refreshtoken secret secretkey apikey challenge salt random
	credential credentials privatekey passworddigest rspauth jsessionid authtoken`)

// userNames and passwordNames are those that a device must not make us look for elsewhere: only what we sent is looked for.
var (
	userNames     = words(`username user_name loginname loginuser`)
	passwordNames = words(`password passwd pwd passphrase`)
)

// personTrees hold a person, or where one was: whatever is below them is blotted out, the names stay
// (humanface.xsd, humanbody.xsd and metadatastream.xsd of ONVIF; GA/T 1400 and the vendors' own).
var personTrees = words(`humanface humanbody licenseplateinfo geolocation image imageref imageuri sceneimage sceneimageref
	refimageuri enrollmentid label likelihood age agerange agegroup gender sex expression emotion mood smile complexion race ethnicity nation
	eyeglass beard bodytemperature similarity personname personid faceid humanid customhumanid enrolleeid certificatenumber certificatetype idnumber idcard
	cardno cardnumber employeeno employeenostring phonenumber borntime birthday plateno platenumber licenseplate plate
	faceurl facepicurl picurl pictureurl picuri bkgurl backgroundurl subimagelist subimageinfo faceobject faceobjectlist personobject personlist
	faceappenddata facematchinfo personinfo humanattribute humanattributes faceattribute faceattributes matchedfaces candidates
	featuredata facefeature facetemplate modeldata featurevalue facetoken picdata imagedata facedata facedataref storagepath`)

// personItems are names of items in events and metadata whose value is about one person. A SimpleItem's name is free text,
// so what ends in one of them counts too.
var personItems = words(`enrollmentid image imageuri imageref refimageuri label likelihood age gender expression emotion name
	personid personname faceid userid username employeeno cardno credentialtoken credentialholder credentialholdername idnumber plate platenumber licenseplate
	smile mood complexion similarity score temperature featuredata objectimage`)

// harmlessValues are states and classes: an event that says no more tells nothing about a person.
var harmlessValues = words(`true false 0 1 yes no on off active inactive open closed high low start stop started stopped enabled disabled
	initialized changed deleted detected undetected normal alarm idle ok error unknown none null other
	human humanface face head body humanbody person people vehicle car truck bus bike bicycle motorcycle motorbike animal pet bag bagging
	licenseplate object objects group line field motion cell left right up down in out enter exit leave`)

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[plain(w)] = true
	}
	return m
}

// plain returns a name's local part in lower case without "_", "-" and "@".
func plain(name string) string {
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		name = name[i+1:]
	}
	return strings.Map(func(r rune) rune {
		switch r {
		case '_', '-', '@', ' ', '.':
			return -1
		}
		return r
	}, strings.ToLower(name))
}

func personItem(name string) bool { return personItems[plain(name)] }

// harmless reports whether a value consists of nothing but harmless words.
func harmless(value string) bool {
	if len(value) > 200 {
		return false
	}
	for _, w := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(", ;|\t\r\n", r) }) {
		if !harmlessValues[plain(w)] {
			return false
		}
	}
	return true
}
