//! The passwords of at least ten characters that guessing lists begin with, in lower case.

#[rustfmt::skip]
pub(super) const COMMON: &[&str] = &[
    "0123456789", "0987654321", "1029384756", "1111111111", "1122334455", "11223344556677", "1212121212", "123123123123",
    "1231231234", "1234512345", "123456123456", "1234567890", "12345678900", "12345678901", "123456789012", "1234567891",
    "12345678910", "1234567899", "123456789a", "123456789abc", "123456789q", "123456789qwe", "1234567890a", "1234567890q",
    "123456789z", "1234abcd5678", "123654789987", "1357924680", "147258369147", "147852369147", "1q2w3e4r5t", "1q2w3e4r5t6y",
    "1q2w3e4r5t6y7u", "1qaz2wsx3e", "1qaz2wsx3edc", "1qaz2wsx3edc4rfv", "1qazxsw23edc", "7777777777", "9876543210", "987654321a",
    "a123456789", "a1234567890", "a1b2c3d4e5", "aa123456789", "abc1234567", "abc123456789", "abcd123456", "abcd12345678",
    "abcdefghij", "abcdefghijk", "abcdefg123", "admin12345", "admin123456", "administrator", "administrator1", "asdf123456",
    "asdfasdfasdf", "asdfghjkl1", "asdfghjkl123", "asdfghjkl;", "asdfghjkl;'", "baseball123", "basketball", "basketball1",
    "bismillah1", "bismillah123", "butterfly1", "changeme123", "changemenow", "charlie123", "chocolate1", "christopher",
    "computer123", "dragon1234", "football12", "football123", "fuckyou123", "iloveyou12", "iloveyou123", "iloveyou1234",
    "iloveyou22", "jennifer12", "letmein123", "letmein1234", "letmeinnow", "liverpool1", "liverpool123", "manchester",
    "manchester1", "master1234", "michael123", "michelle12", "minecraft1", "minecraft123", "monkey1234", "p@ssw0rd123",
    "p@ssword123", "pa55word123", "pakistan123", "pass123456", "passw0rd12", "passw0rd123", "password!!", "password00",
    "password01", "password10", "password11", "password12", "password12!", "password123", "password123!", "password1234",
    "password12345", "password123456", "password2024", "password2025", "password2026", "password99", "passwordpassword", "princess12",
    "princess123", "q1w2e3r4t5", "q1w2e3r4t5y6", "qazwsx1234", "qazwsxedc1", "qazwsxedc123", "qazwsxedcrfv", "qqww1122qqww",
    "qwe123qwe123", "qweasdzxc1", "qweasdzxc123", "qwer123456", "qwerty1234", "qwerty12345", "qwerty123456", "qwerty1234567",
    "qwertyqwerty", "qwertyuiop", "qwertyuiop1", "qwertyuiop12", "qwertyuiop123", "qwertyuiop[]", "samsung123", "secret1234",
    "september1", "spiderman1", "spiderman123", "starwars12", "starwars123", "sunshine12", "sunshine123", "superman12",
    "superman123", "test123456", "testtest12", "testtest123", "trustno1trustno1", "unknown123", "valentina1", "welcome123",
    "welcome1234", "welcome12345", "whatever12", "zaq12wsxcde3", "zxcvbnm123", "zxcvbnm1234", "zxcvbnm,./", "zxcvbnmasdfghjkl",
];
